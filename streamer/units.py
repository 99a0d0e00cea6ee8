"""Sizes, durations and milliseconds as text, and back."""

from __future__ import annotations

import re

from streamer.errors import UsageError

SIZES = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
DURATIONS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def parse_size(text: str) -> int:
    """Bytes of a size such as 500M or 2G; a bare number is bytes. Raises UsageError."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)B?", text.strip(), re.IGNORECASE)
    if match is None or float(match[1]) == 0:
        raise UsageError(f"{text!r} is not a size: give one as in 500M or 2G")
    return round(float(match[1]) * SIZES[match[2].upper()])


def parse_duration(text: str) -> float:
    """Seconds of a duration such as 90s, 10m or 1h; a bare number is seconds. Raises UsageError."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", text.strip())
    if match is None or match[2] not in DURATIONS or float(match[1]) == 0:
        raise UsageError(f"{text!r} is not a duration: give one as in 90s, 10m or 1h")
    return float(match[1]) * DURATIONS[match[2]]


def milliseconds(us: int | None) -> str:
    """Whole microseconds as milliseconds with three decimals; empty for None."""
    if us is None:
        return ""
    if us < 0:
        return "-" + milliseconds(-us)
    return "%d.%03d" % divmod(us, 1000)  # noqa: UP031  (14 are written a frame, and no f-string is as quick)


def microseconds(ms: str) -> int | None:
    """Microseconds of a text of `milliseconds`, without a float in between; None for an empty one."""
    return int(ms.replace(".", "")) if ms else None
