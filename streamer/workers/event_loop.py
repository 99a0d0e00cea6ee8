"""The event loop that runs the pipeline, and calls in it from other threads."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

import anyio
from anyio.lowlevel import EventLoopToken

T = TypeVar("T")

BACKEND = "asyncio"
"""Chosen by measurement, see benchmarks/."""


def run_in_loop(work: Callable[..., Awaitable[T]], *arguments: Any) -> T:
    """Runs ``work`` in a loop of its own in this thread, and returns its result. No other loop may run here."""
    return anyio.run(work, *arguments, backend=BACKEND)


def tell_loop(loop: EventLoopToken, call: Callable[..., object], *arguments: Any) -> None:
    """Calls ``call`` in that event loop, without waiting for it: a loop that is being closed waits for this thread.

    asyncio cancels through every shield when it ends (Ctrl-C in a script that calls the library).
    """
    native: Any = loop.native_token
    tell = native.run_sync_soon if hasattr(native, "run_sync_soon") else native.call_soon_threadsafe  # trio, asyncio
    with suppress(RuntimeError):  # the loop has gone, and with it the waiting task
        tell(call, *arguments)
