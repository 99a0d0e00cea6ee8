"""What becomes of a runtime in a process that is forked from its own: it is never freed there.

A fork has none of the runtime's threads, and to free the runtime is to wait for them: the process would hang at its
end.
"""

from __future__ import annotations

import ctypes
import os
from weakref import WeakSet

_kept: WeakSet[object] = WeakSet()


def keep_when_forked(engine: object) -> None:
    """From now on a fork of this process keeps ``engine`` for ever, with all that it holds."""
    _kept.add(engine)


def _keep() -> None:
    for engine in list(_kept):
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(engine))  # no reference of Python's own outlives its end


if hasattr(os, "register_at_fork"):  # Windows has no forks
    os.register_at_fork(after_in_child=_keep)
