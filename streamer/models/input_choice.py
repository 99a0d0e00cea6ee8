"""The preprocessing of a model: its user's, else its maker's, else that of models of its kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from typing import Any, TypedDict

import numpy as np

from streamer.detection.input_spec import Colour, InputSpec
from streamer.detection.ports import Port
from streamer.errors import ModelError, UsageError

ASSUMED = "assumed"
"""Nothing declares it: it is what models of this kind usually take."""
BY_TYPE = "the type of its input"
BY_USER = "--input"
BY_GRAPH = "the first steps of its graph"
BY_CONVERSION = "its conversion to IR"
BY_EMBEDDED = "OpenVINO's model_info: its preprocessing is inside"
OF_BYTES = (BY_USER, BY_GRAPH, BY_CONVERSION, BY_EMBEDDED)
"""The origins that are valid for the colours of an input of bytes. Others may be of a time before preprocessing was
added to the graph: OpenVINO can swap colours within a convolution, which leaves no trace."""
PARTS = tuple(field.name for field in fields(InputSpec))
NUMBERS = ("low", "high", "mean", "scale")
"""The parts that determine what a byte becomes; an origin that declares one of them declares all."""
BYTES: Mapping[str, Any] = {"low": 0.0, "high": 255.0, "mean": (0.0, 0.0, 0.0), "scale": (1.0, 1.0, 1.0)}
"""The numbers that leave bytes unchanged."""

Declared = Mapping[str, tuple[Any, str]]
"""Parts of an `InputSpec` by their names: the value of each, and its origin."""
NOTHING: Declared = {}


class InputPart(TypedDict):
    """A model's preprocessing: the parts of its `InputSpec`, and the origin of each.

    A byte, 0 to 255, is mapped to ``low`` to ``high``. Then ``mean`` is subtracted, and the result is divided by
    ``scale``.
    """

    colour: str
    """The order of the colours: ``rgb`` or ``bgr``."""
    low: float
    """The number that a byte of 0 becomes, before ``mean`` and ``scale``."""
    high: float
    """The number that a byte of 255 becomes, before ``mean`` and ``scale``."""
    mean: list[float]
    """What is subtracted from these numbers: one per colour, in the order of ``colour``."""
    scale: list[float]
    """What the difference is divided by: one per colour, in the order of ``colour``."""
    fit: str
    """How a frame is made to fit the input: ``letterbox``, ``letterbox-top-left``, ``stretch`` or ``crop``."""
    pad: int
    """The gray around a letterboxed frame, from 0 to 255."""
    told_by: dict[str, str]
    """Where each of these values comes from, by field: an option, the model's metadata or graph, in words;
    ``assumed`` when nothing specifies it."""


def input_part(spec: InputSpec, by: Mapping[str, str]) -> InputPart:
    """The preprocessing as ``run.json`` and the JSON list of models have it; ``by`` has the origin of each part."""
    return {
        "colour": spec.colour.value,
        "low": spec.low,
        "high": spec.high,
        "mean": list(spec.mean),
        "scale": list(spec.scale),
        "fit": spec.fit.value,
        "pad": spec.pad,
        "told_by": dict(by),
    }


def declared(by: str, **parts: Any) -> Declared:
    """Parts with their values, all of the origin ``by``."""
    return {name: (value, by) for name, value in parts.items()}


def all_declared(by: str, spec: InputSpec) -> Declared:
    """All parts of ``spec``, of the origin ``by``."""
    return declared(by, **asdict(spec))


def choose_input(
    assumed: InputSpec,
    by_maker: Declared,
    by_user: Declared,
    port: Port,
    *,
    unclear: Mapping[str, str],
    swapped: bool,
) -> tuple[InputSpec, dict[str, str]]:
    """The preprocessing for the input ``port``, and the origin of each part.

    The user's parts go before the maker's, and these before ``assumed``. An input of bytes takes them unchanged: the
    model scales them itself. ``unclear`` has, by part, the sentence about a request of the maker's that streamer does
    not know. ``swapped``: the graph swaps the colours itself, so that it takes the other order. Raises ModelError for
    an unclear part that the user does not declare, and UsageError for numbers that an input of bytes cannot hold.
    """
    takes_bytes = np.dtype(port.dtype).kind in "iu"
    by_type = declared(BY_TYPE, **BYTES) if takes_bytes else {}
    chosen = {**all_declared(ASSUMED, assumed), **by_maker, **by_type, **by_user}
    for part, request in unclear.items():
        if chosen[part][1] not in (BY_USER, BY_TYPE, BY_GRAPH):
            raise ModelError(f"{request}, which streamer does not know: import it with --input, as in {_EXAMPLE}")
    if swapped and chosen["colour"][1] not in (BY_USER, BY_CONVERSION):
        chosen["colour"] = (_OTHER[Colour(chosen["colour"][0])], BY_GRAPH)
    if takes_bytes and chosen["colour"][1] not in OF_BYTES:
        chosen["colour"] = (chosen["colour"][0], ASSUMED)
    spec = replace(assumed, **{part: value for part, (value, _) in chosen.items()})
    if takes_bytes and any(getattr(spec, part) != BYTES[part] for part in NUMBERS):
        raise UsageError(f"--input: the model takes bytes as they are ({port}): leave range, mean and scale out")
    return spec, {part: by for part, (_, by) in chosen.items()}


_OTHER = {Colour.RGB: Colour.BGR, Colour.BGR: Colour.RGB}
_EXAMPLE = "'rgb,range=0..255,stretch'"
