"""The number of arenas in which the C library keeps its memory.

GNU's library gives each thread an arena of its own, up to eight per core. Free memory of one arena is of no use to
another: with the threads of many streams, tens of megabytes are unused. With two arenas, threads wait for each other,
and the tail of the latency shows it; with four it does not.
"""

from __future__ import annotations

import ctypes
import sys

ARENAS = 4
_M_ARENA_MAX = -8
"""As in malloc.h; see mallopt(3)."""


def limit_arenas() -> None:
    """Limits the arenas of this process from now on; does nothing where the C library has no such limit."""
    if sys.platform == "linux" and (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)):
        mallopt(_M_ARENA_MAX, ARENAS)
