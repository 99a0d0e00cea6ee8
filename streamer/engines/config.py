"""The configuration in force, as every engine tells it: OpenVINO's names serve all runtimes."""

from __future__ import annotations

from collections.abc import Mapping

THREADS = "INFERENCE_NUM_THREADS"
PRECISION = "INFERENCE_PRECISION_HINT"
FEW_DIGITS = ("bf16", "f16")
"""Precisions in which numbers have 8 or 11 binary digits."""
CONVOLUTIONS = "CONVOLUTIONS"
"""How many convolutions run in which precision, as in ``60 i8, 3 bf16``: a quantized model's hint does not tell."""
LOADED = "LOADED"
"""How a .pt was loaded: ``weights_only`` or `AS_PICKLE`, which may run code of whoever made it."""
AS_PICKLE = "pickle"
WARNED = "WARNED"
"""What the runtime warned of when it compiled: that it is slower here than it could be, as a rule."""


def precision_of(in_force: Mapping[str, str]) -> str:
    """The precision in force in a word or two: ``bf16``, of a quantized model ``i8+bf16``; empty if not told."""
    hinted = in_force.get(PRECISION, "")
    quantized = "i8" in in_force.get(CONVOLUTIONS, "").replace(",", " ").split()
    return f"i8+{hinted}" if quantized else hinted
