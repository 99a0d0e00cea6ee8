"""The progress of a call, for an observer to show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The progress of a call.

    ``doing`` says what is under way. ``done`` and ``total`` are counted in ``unit``, as in frames or rounds;
    ``total`` is None when it is not known. ``p50_ms`` and ``p95_ms`` are the percentiles of the latency so far in
    milliseconds, None before there is one; ``dropped`` counts frames.
    """

    doing: str
    done: int
    total: int | None
    unit: str
    p50_ms: float | None = None
    p95_ms: float | None = None
    dropped: int = 0


Observer: TypeAlias = Callable[[Progress], None]
"""A function that is called about twice a second, between frames and not in the caller's thread. It must be short.

An error that it raises ends the call.
"""
