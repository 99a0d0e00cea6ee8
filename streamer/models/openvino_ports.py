"""The inputs and outputs of a model that OpenVINO has read, at a given picture size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from streamer.detection.ports import Port, Signature, channels_last, fixed, picture_input
from streamer.errors import ModelError
from streamer.models.metadata import Size

TYPES = frozenset({"float32", "float16", "uint8", "int32", "int64"})
"""NumPy's names of the types that detectors take and put out."""


def ports_of(ports: Any, path: Path) -> tuple[Port, ...]:
    """A `Port` for each of OpenVINO's. Raises ModelError for a type not in `TYPES`, and for an open rank."""
    found = []
    for port in ports:
        names = sorted(port.get_names(), key=lambda name: (len(name), name))
        shape = port.get_partial_shape()
        if shape.rank.is_dynamic:
            raise ModelError(f"{path.name} has an input or output of no fixed rank: export it with fixed shapes")
        row = Port(names[0] if names else "", tuple(map(_side, shape)), str(port.get_element_type().to_dtype()))
        if row.dtype not in TYPES:
            raise ModelError(f"{path.name} gives or takes {row.dtype} ({row}): export it in float32")
        found.append(row)
    return tuple(found)


def _side(dimension: Any) -> int | None:
    return None if dimension.is_dynamic else int(dimension.get_length())


def size_of_picture(port: Port) -> Size | None:
    """Height and width of an input for pictures; None when either is open."""
    height, width = port.shape[-3:-1] if channels_last(port) else port.shape[-2:]
    return None if height is None or width is None else (height, width)


def fixed_inputs(inputs: tuple[Port, ...], picture: int, size: Size) -> tuple[Port, ...]:
    """The inputs for one picture of ``size`` (height, width); ``picture`` is the number of the picture's input."""
    return tuple(
        Port(port.name, _picture_shape(port, size) if at == picture else fixed(port), port.dtype)
        for at, port in enumerate(inputs)
    )


def _picture_shape(port: Port, size: Size) -> tuple[int, ...]:
    batch = (1,) * (len(port.shape) - 3)
    return (*batch, *size, 3) if channels_last(port) else (*batch, 3, *size)


def signature_of(model: Any, path: Path, size: Size) -> Signature:
    """The signature of a model for one picture of ``size`` (height, width). Reshapes a model of another size to it.

    Raises ModelError for a model without an input for pictures, and OpenVINO's RuntimeError where it cannot be
    reshaped.
    """
    inputs = ports_of(model.inputs, path)
    picture = picture_input(inputs)
    of_one = fixed_inputs(inputs, picture, size)
    if of_one != inputs:
        model.reshape({at: list(port.shape) for at, port in enumerate(of_one)})
    return Signature(of_one, ports_of(model.outputs, path), size)
