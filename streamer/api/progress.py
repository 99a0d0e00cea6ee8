"""How far a call is, for who wants to show it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a call is.

    ``doing`` says what is under way. ``done`` of ``total`` are counted in ``unit``, as in frames or rounds; ``total``
    is None where nobody knows it. ``p50_ms`` and ``p95_ms`` are of the latency so far, None before there is one;
    ``dropped`` counts frames.
    """

    doing: str
    done: int
    total: int | None
    unit: str
    p50_ms: float | None = None
    p95_ms: float | None = None
    dropped: int = 0


Observer: TypeAlias = Callable[[Progress], None]
"""Is called about twice a second, between frames and not in the caller's thread. It must be short.

An error that it raises ends the call.
"""
