"""How many arenas the C library keeps its memory in.

GNU's gives each thread one of its own, up to eight per core, and what is free in one is of no use to another: with
the threads of many streams tens of megabytes lie about. With two arenas threads wait for each other, and the tail of
the latency shows it; with four it does not.
"""

from __future__ import annotations

import ctypes
import sys

ARENAS = 4
_M_ARENA_MAX = -8
"""As in malloc.h; see mallopt(3)."""


def limit_arenas() -> None:
    """From now on no more are made for this process; does nothing where the C library knows of none."""
    if sys.platform == "linux" and (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)):
        mallopt(_M_ARENA_MAX, ARENAS)
