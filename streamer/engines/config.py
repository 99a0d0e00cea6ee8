"""The configuration in force, as every engine tells it: OpenVINO's names serve all runtimes."""

from __future__ import annotations

from collections.abc import Mapping

THREADS = "INFERENCE_NUM_THREADS"
PRECISION = "INFERENCE_PRECISION_HINT"
FEW_DIGITS = ("bf16", "f16")
"""Precisions in which numbers have 8 or 11 binary digits."""
FLOATS = (*FEW_DIGITS, "f32")
"""Precisions that are no integers."""
CONVOLUTIONS = "CONVOLUTIONS"
"""How many convolutions run in which precision, as in ``60 i8, 3 bf16``: a quantized model's hint does not tell."""
LOADED = "LOADED"
"""How a .pt was loaded: ``weights_only`` or `AS_PICKLE`, which may run code of whoever made it."""
AS_PICKLE = "pickle"
WARNED = "WARNED"
"""What the runtime warned of when it compiled: that it is slower here than it could be, as a rule."""


NO_PRECISION = ("dynamic", "undefined")
"""What OpenVINO calls the precision where each operation keeps the model's, as with EXECUTION_MODE_HINT=ACCURACY."""


def precision_of(in_force: Mapping[str, str]) -> str:
    """The precision in force in a word or two: ``bf16``, of a quantized model ``i8+bf16``; empty if not told.

    That which most convolutions run in that count in no integers; the hint, where none does.
    """
    kinds = _kinds(in_force)
    quantized = "i8" in kinds
    number = next((kind for kind in kinds if kind in FLOATS), "") or _hinted(in_force)
    return "+".join(["i8"] * quantized + [number] * bool(number))


def float_precision(in_force: Mapping[str, str]) -> str:
    """The precision of what counts in no integers: as hinted, else that of most convolutions; empty if not told."""
    return _hinted(in_force) or next((kind for kind in _kinds(in_force) if kind in FLOATS), "")


def _kinds(in_force: Mapping[str, str]) -> list[str]:
    """What the convolutions run in, most first."""
    counted = in_force.get(CONVOLUTIONS, "")
    return [part.rpartition(" ")[2] for part in counted.split(", ")] if counted else []


def _hinted(in_force: Mapping[str, str]) -> str:
    hint = in_force.get(PRECISION, "")
    return "" if hint in NO_PRECISION else hint
