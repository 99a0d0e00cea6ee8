"""The effective configuration of an engine, in OpenVINO's names for all runtimes."""

from __future__ import annotations

from collections.abc import Mapping

THREADS = "INFERENCE_NUM_THREADS"
PRECISION = "INFERENCE_PRECISION_HINT"
FEW_DIGITS = ("bf16", "f16")
"""Precisions in which numbers have 8 or 11 binary digits."""
FLOATS = (*FEW_DIGITS, "f32")
"""Precisions that are no integers."""
CONVOLUTIONS = "CONVOLUTIONS"
"""How many convolutions run in each precision, as in ``60 i8, 3 bf16``; a quantized model's hint does not show it."""
LOADED = "LOADED"
"""How a .pt was loaded: ``weights_only`` or `AS_PICKLE`, which may run its maker's code."""
AS_PICKLE = "pickle"
WARNED = "WARNED"
"""The runtime's warnings from compiling, usually that it is slower here than it could be."""


NO_PRECISION = ("dynamic", "undefined")
"""OpenVINO's hints where each operation keeps the model's precision, as with EXECUTION_MODE_HINT=ACCURACY."""


def precision_of(effective: Mapping[str, str]) -> str:
    """The effective precision, as ``bf16``, or ``i8+bf16`` for a quantized model; empty if unknown.

    The floating-point part is that of most floating-point convolutions; the hint, where there are none.
    """
    kinds = _kinds(effective)
    quantized = "i8" in kinds
    number = next((kind for kind in kinds if kind in FLOATS), "") or _hinted(effective)
    return "+".join(["i8"] * quantized + [number] * bool(number))


def float_precision(effective: Mapping[str, str]) -> str:
    """The floating-point precision: the hint, else that of most convolutions; empty if unknown."""
    return _hinted(effective) or next((kind for kind in _kinds(effective) if kind in FLOATS), "")


def _kinds(effective: Mapping[str, str]) -> list[str]:
    """The precisions of the convolutions, the most frequent first."""
    counted = effective.get(CONVOLUTIONS, "")
    return [part.rpartition(" ")[2] for part in counted.split(", ")] if counted else []


def _hinted(effective: Mapping[str, str]) -> str:
    hint = effective.get(PRECISION, "")
    return "" if hint in NO_PRECISION else hint
