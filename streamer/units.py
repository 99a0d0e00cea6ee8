"""Sizes as people write them."""

from __future__ import annotations

import re

from streamer.errors import UsageError

SIZES = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def parse_size(text: str) -> int:
    """Bytes of a size such as 500M or 2G; a bare number is bytes. Raises UsageError."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)B?", text.strip(), re.IGNORECASE)
    if match is None or float(match[1]) == 0:
        raise UsageError(f"{text!r} is not a size: give one as in 500M or 2G")
    return round(float(match[1]) * SIZES[match[2].upper()])
