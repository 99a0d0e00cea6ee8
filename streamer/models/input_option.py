"""The text of ``--input``: a model's preprocessing, declared by the user."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from streamer.detection.input_spec import Colour, Fit, InputSpec
from streamer.errors import UsageError
from streamer.models.input_choice import BY_USER, BYTES, NUMBERS, Declared, declared

PADDED = (Fit.LETTERBOX, Fit.LETTERBOX_TOP_LEFT)
KNOWN = (
    f"give {' or '.join(Colour)}; range=A..B, mean=R,G,B and scale=R,G,B; "
    f"{', '.join(list(Fit)[:-1])} or {list(Fit)[-1]}; pad=0..255"
)
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?")


def parse_input(text: str) -> Declared:
    """The parts in a text such as ``bgr,range=0..255,mean=103.5,116.3,123.7,scale=58,57,57,stretch,pad=114``.

    They may come in any order, and any may be left out. Mean and scale apply to the numbers in ``range`` and need
    it; each is one number, or one per colour in the model's order. Raises UsageError for anything else.
    """
    found: dict[str, Any] = {}
    for name, values in _items(text):
        for part, value in _read(text, name, values).items():
            if part in found:
                raise UsageError(f"--input {text}: {name} is the second {part}: give one")
            found[part] = value
    if "low" in found:
        found = {**BYTES, **found}
    elif "mean" in found or "scale" in found:
        raise UsageError(f"--input {text}: mean and scale need a range: give range=0..255 or range=0..1")
    return declared(BY_USER, **found)


def _items(text: str) -> list[tuple[str, list[str]]]:
    """The words, and the keys with their values. A number belongs to the key before it."""
    items: list[tuple[str, list[str]]] = []
    for word in (one.strip().lower() for one in text.split(",")):
        if items and items[-1][1] and NUMBER.fullmatch(word):
            items[-1][1].append(word)
            continue
        name, given, value = word.partition("=")
        items.append((name.strip(), [value.strip()] if given else []))
    return items


def _read(text: str, name: str, values: Sequence[str]) -> dict[str, Any]:
    """The parts of one item. Raises UsageError."""
    match name, len(values):
        case (("mean" | "scale"), (1 | 3)):
            return {name: _per_colour(text, name, values)}
        case (("mean" | "scale"), _):
            raise UsageError(f"--input {text}: {name} takes one number, or three")
        case "range", 1:
            return _range(text, values[0])
        case "pad", 1 if values[0].isdecimal() and int(values[0]) <= 255:
            return {"pad": int(values[0])}
        case _, 0 if name in list(Colour):
            return {"colour": Colour(name)}
        case _, 0 if name in list(Fit):
            return {"fit": Fit(name)}
    word = f"{name}={','.join(values)}" if values else name
    raise UsageError(f"--input {text}: {word or 'nothing between two commas'} is not valid: {KNOWN}")


def _per_colour(text: str, name: str, values: Sequence[str]) -> tuple[float, ...]:
    numbers = [float(value) for value in values if NUMBER.fullmatch(value)]
    if len(numbers) != len(values) or not all(map(math.isfinite, numbers)):
        raise UsageError(f"--input {text}: {name} takes one number, or three")
    if name == "scale" and 0 in numbers:
        raise UsageError(f"--input {text}: scale is divided by, so it cannot be 0")
    return tuple(numbers * (3 // len(numbers)))


def _range(text: str, written: str) -> dict[str, Any]:
    low, between, high = written.partition("..")
    if not between or not NUMBER.fullmatch(low) or not NUMBER.fullmatch(high) or float(low) == float(high):
        raise UsageError(f"--input {text}: range takes two numbers, as in 0..1, 0..255 or -1..1")
    return {"low": float(low), "high": float(high)}


def as_option(spec: InputSpec) -> str:
    """The text of ``--input`` for a preprocessing; with mean, scale and pad only where they have an effect."""
    parts = [spec.colour.value, f"range={spec.low:.10g}..{spec.high:.10g}"]
    parts += [f"mean={_as_text(spec.mean)}"] if any(spec.mean) else []
    parts += [f"scale={_as_text(spec.scale)}"] if set(spec.scale) != {1.0} else []
    parts += [spec.fit.value]
    parts += [f"pad={spec.pad}"] if spec.fit in PADDED else []
    return ",".join(parts)


def _as_text(numbers: Sequence[float]) -> str:
    shown = [f"{number:.10g}" for number in numbers]
    return shown[0] if len(set(shown)) == 1 else ",".join(shown)


def grouped_by_origin(spec: InputSpec, by: Mapping[str, str]) -> dict[str, list[str]]:
    """The parts of a preprocessing by their origin: colour, numbers, fit, and pad where the fit pads."""
    groups: dict[str, list[str]] = {}
    for part, source in by.items():
        name = "numbers" if part in NUMBERS else part
        if name not in groups.get(source, []) and (part != "pad" or spec.fit in PADDED):
            groups.setdefault(source, []).append(name)
    return groups
