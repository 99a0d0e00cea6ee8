"""A run in the foreground: shown on the terminal, and ended by signals in good order."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import anyio

from streamer.cli.progress import ProgressLine
from streamer.cli.signals import TWICE_S, end_at_once, heeded
from streamer.errors import StreamerError
from streamer.pipeline.observer import Watch
from streamer.run.finished import Run
from streamer.run.run import run
from streamer.settings.settings import Settings
from streamer.workers.event_loop import run_in_loop


def run_in_foreground(
    sources: Sequence[str], settings: Settings, line: ProgressLine, watch: Watch | None = None
) -> Run:
    """The finished run. The first SIGINT, SIGTERM or SIGHUP ends it in good order, a second one the process at once.

    Before the pipeline runs, the first one ends the process at once too. Raises what `run` raises.
    """
    with _ended_at_once_by_signals(line), line:
        return run_in_loop(_run, sources, settings, line, watch)


async def _run(sources: Sequence[str], settings: Settings, line: ProgressLine, watch: Watch | None) -> Run:
    failure: StreamerError | None = None
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_obey_signals, line)
        try:
            finished = await run(sources, settings, line, watch=watch)
        except StreamerError as error:  # one that left the group would come out wrapped in an ExceptionGroup
            failure = error
        tasks.cancel_scope.cancel()
    if failure is not None:
        raise failure
    return finished


async def _obey_signals(line: ProgressLine) -> None:
    stop = await line.running()
    at_once = {number: signal.getsignal(number) for number in heeded()}
    with anyio.open_signal_receiver(*at_once) as signals:
        async for number in signals:
            stop(signal.Signals(number).name)
            await anyio.sleep(TWICE_S)
            break
    for number, handler in at_once.items():
        signal.signal(number, handler)


@contextmanager
def _ended_at_once_by_signals(line: ProgressLine) -> Iterator[None]:
    """Until the pipeline runs there is nothing to keep, and a runtime may compile for a minute."""

    def end(number: int, _: object) -> None:
        line.abandon()
        end_at_once(number)

    before = {number: signal.signal(number, end) for number in heeded()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
