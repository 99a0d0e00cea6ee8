"""Keeps a runtime from being freed in a process that is forked from its own.

A fork has none of the runtime's threads. Freeing the runtime waits for them: the process would hang at its end.
"""

from __future__ import annotations

import ctypes
import os
from weakref import WeakSet

_kept: WeakSet[object] = WeakSet()


def keep_when_forked(engine: object) -> None:
    """A fork of this process never frees ``engine``, nor what it holds."""
    _kept.add(engine)


def _keep() -> None:
    for engine in list(_kept):
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(engine))  # no reference of Python's own outlives its end


if hasattr(os, "register_at_fork"):  # Windows has no forks
    os.register_at_fork(after_in_child=_keep)
