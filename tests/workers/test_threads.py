"""Worker threads end when they are closed, whatever the event loop is at."""

from __future__ import annotations

import asyncio
from pathlib import Path
from threading import Event

import anyio
import pytest

from streamer.pipeline.housekeeping import Progress
from streamer.pipeline.observer import Silent
from streamer.run.run import run
from streamer.settings.settings import Settings
from streamer.workers.clock import MonotonicClock
from streamer.workers.threads import Stage, Threads
from tests.runs import check_conserved, manifest
from tests.videos import write_video


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_closing_waits_for_work_under_way_and_not_for_its_loop_which_waits_meanwhile(backend: str) -> None:
    begun, may_end, ended = Event(), Event(), Event()

    def work() -> None:
        begun.set()
        may_end.wait()
        ended.set()

    async def cancelled() -> None:
        threads = Threads(MonotonicClock())
        threads.begin(work, Stage.ENGINE)
        begun.wait()
        may_end.set()
        threads.close()

    anyio.run(cancelled, backend=backend)
    assert ended.is_set()


class Cancelling(Silent):
    """Cancels the run's task as asyncio does on Ctrl-C: through every shield."""

    task: asyncio.Task[object]

    def progress(self, progress: Progress) -> None:
        if progress.scheduled > 3:
            self.task.cancel()


def test_a_run_that_asyncio_cancels_ends_and_keeps_what_was_written(tmp_path: Path, tiny_model: Path) -> None:
    clip, out = write_video(tmp_path / "clip.mp4", 60), tmp_path / "run"
    settings = Settings(engine="null,delay_ms=5", model=str(tiny_model), chart=False, out=out, loop=True)
    observer = Cancelling()

    async def cancelled() -> None:
        observer.task = asyncio.create_task(run([str(clip)], settings, observer))
        with pytest.raises(asyncio.CancelledError):
            await observer.task

    asyncio.run(cancelled())
    assert manifest(out)["verdict"] == "INTERRUPTED"
    check_conserved(out)
