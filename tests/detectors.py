"""Models whose inputs, outputs and head matter alone; no file of theirs is ever read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from streamer.detection.head import Head
from streamer.detection.input_spec import InputSpec
from streamer.detection.ports import Port, Signature
from streamer.models.model import Model


def signature(
    *outputs: Sequence[int | None], size: tuple[int, int] = (64, 96), names: Sequence[str] = ()
) -> Signature:
    """One input for pictures of ``size`` (height, width), and outputs in float32 of these shapes and ``names``."""
    called = names or [f"output{number}" for number in range(len(outputs))]
    ports = tuple(Port(name, tuple(shape)) for name, shape in zip(called, outputs, strict=True))
    return Signature((Port("images", (1, 3, *size)),), ports, size)


def model_with(head: type[Head], shape: Signature, names: Sequence[str]) -> Model:
    """A model with this head, and a name per class."""
    return Model(
        name="some",
        path=Path("some.onnx"),
        files={},
        hashes={"onnx": ""},
        signature=shape,
        head=head.name,
        names=tuple(names),
        input=InputSpec(),
        input_by={},
    )
