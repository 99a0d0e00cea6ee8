"""The functions of the library to be awaited, in a program on asyncio or trio: ``await streamer.aio.replay(...)``.

They have the arguments, results and errors of those in `streamer`. Each runs on a thread of its own, so that neither
event loop disturbs the other. Cancelling one ends it as Ctrl-C does: what was written stays, and ``run.json`` says
INTERRUPTED.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import anyio
from anyio.lowlevel import current_token

from streamer.api.bench import bench as _bench
from streamer.api.compare import compare as _compare
from streamer.api.pace import pace as _pace
from streamer.api.parity import parity as _parity
from streamer.api.replay import replay as _replay
from streamer.api.soak import soak as _soak
from streamer.api.verify import verify as _verify
from streamer.workers.event_loop import tell_loop
from streamer.workers.own_thread import OwnThread
from streamer.workers.stopping import Stop, current_stop

P = ParamSpec("P")
T = TypeVar("T")

__all__ = ["bench", "compare", "pace", "parity", "replay", "soak", "verify"]

WAKES_S = 0.5
"""How often the loop wakes: a notebook's kernel does not wake it when a cell that awaits is interrupted
(ipython/ipykernel#881)."""


def _awaitable(function: Callable[P, T]) -> Callable[P, Coroutine[Any, Any, T]]:
    """The function to be awaited, on a thread of its own."""

    @wraps(function)
    async def awaited(*arguments: P.args, **options: P.kwargs) -> T:
        stop, ended, loop = Stop(), anyio.Event(), current_token()

        def work() -> T:
            current_stop.set(stop)
            return function(*arguments, **options)

        call = OwnThread(work, stop, lambda: tell_loop(loop, ended.set))
        call.start()
        try:
            while not ended.is_set():
                with anyio.move_on_after(WAKES_S):
                    await ended.wait()
        except anyio.get_cancelled_exc_class():
            stop.ask("cancelled")
            with anyio.CancelScope(shield=True):
                await ended.wait()
            raise
        return call.outcome()

    return awaited


compare = _awaitable(_compare)
pace = _awaitable(_pace)
replay = _awaitable(_replay)
bench = _awaitable(_bench)
parity = _awaitable(_parity)
verify = _awaitable(_verify)
soak = _awaitable(_soak)
