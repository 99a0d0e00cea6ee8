"""A run for a caller of the library: in an event loop of its own, observed, and stopped from other threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import anyio
from anyio.lowlevel import current_token

from streamer.api.progress import Observer, Progress
from streamer.pipeline import housekeeping
from streamer.pipeline.observer import Watch
from streamer.run.finished import Run
from streamer.run.run import run
from streamer.settings.settings import Settings
from streamer.workers.event_loop import run_in_loop, tell_loop
from streamer.workers.stopping import Interrupted, Stop


def run_observed(
    sources: Sequence[str], settings: Settings, observer: Observer | None, stop: Stop, watch: Watch | None = None
) -> Run:
    """The finished run.

    Raises what `run` raises, and Interrupted when it is stopped before its pipeline runs: there is nothing to keep.
    """
    return run_in_loop(_run, sources, settings, observer, stop, watch)


async def _run(
    sources: Sequence[str], settings: Settings, observer: Observer | None, stop: Stop, watch: Watch | None
) -> Run:
    loop = current_token()
    runs = False
    with anyio.CancelScope() as opening:

        def give_up() -> None:
            if not runs:
                opening.cancel()

        def ended_by(end: Callable[[str], None]) -> None:
            nonlocal runs
            stop.check()  # opening is over before it could be cancelled where it never waits for long
            runs = True
            stop.calls(lambda reason: tell_loop(loop, end, reason))

        stop.calls(lambda _: tell_loop(loop, give_up))
        return await run(sources, settings, _Watching(settings, observer, ended_by), watch=watch)
    raise Interrupted(stop.reason or "cancelled")


class _Watching:
    """The pipeline's observer, which calls the caller's; ``ended_by`` receives the function that ends the run."""

    def __init__(
        self, settings: Settings, observer: Observer | None, ended_by: Callable[[Callable[[str], None]], None]
    ) -> None:
        self._settings = settings
        self._observer = observer
        self._ended_by = ended_by
        self._tell(f"{settings.engine}: reading, compiling, warming up")

    def started(self, stop: Callable[[str], None], notes: list[str]) -> None:
        self._ended_by(stop)

    def progress(self, progress: housekeeping.Progress) -> None:
        self._tell(self._settings.engine, progress)

    def waits(self, stream: int, frame: int, for_s: float) -> None:
        """The wait of a gap is among the notes of the run."""

    def _tell(self, doing: str, so_far: housekeeping.Progress | None = None) -> None:
        if self._observer is None:
            return
        self._observer(
            Progress(
                doing=doing,
                done=0 if so_far is None else so_far.scheduled,
                total=self._settings.frames,
                unit="frames",
                p50_ms=None if so_far is None else so_far.p50_ms,
                p95_ms=None if so_far is None else so_far.p95_ms,
                dropped=0 if so_far is None else so_far.dropped,
            )
        )
