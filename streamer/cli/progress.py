"""The live line of a run on the terminal."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from types import TracebackType

import anyio
from rich.console import Console
from rich.live import Live
from rich.text import Text

from streamer.cli.suspended import SHOWN, cursor_shown_while_stopped
from streamer.pipeline.housekeeping import Progress
from streamer.schedule.file_gaps import how_long
from streamer.settings.settings import Settings


def tell_notes(notes: Iterable[str], console: Console) -> None:
    """Prints a line for each note."""
    for note in notes:
        console.print(f"note: {note}", highlight=False, markup=False, soft_wrap=True)


class ProgressLine:
    """An observer of a run that shows one live line on ``console`` if that is a terminal; notes are always shown."""

    def __init__(self, console: Console, settings: Settings) -> None:
        self._console = console
        self._settings = settings
        self._stop: Callable[[str], None] | None = None
        self._started = anyio.Event()
        # Refreshed by progress() alone: a refresh thread of its own would disturb what is measured.
        self._shown = ExitStack()
        self._live = Live(console=console, auto_refresh=False, transient=True)

    def __enter__(self) -> ProgressLine:
        if self._console.is_terminal:
            self._live.start()
            self._shown.enter_context(cursor_shown_while_stopped(self._console))
            self._show(f"{self._settings.engine}: reading, compiling, warming up")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._shown.close()
        self._live.stop()

    def abandon(self) -> None:
        """Shows the cursor again, without waiting for a print that may be under way: the process is about to end."""
        if self._live.is_started:
            with suppress(OSError):  # the terminal is lost: that is what ends it
                os.write(self._console.file.fileno(), SHOWN)

    async def running(self) -> Callable[[str], None]:
        """Waits until the pipeline runs; returns the function that ends the run, for a reason such as SIGINT."""
        await self._started.wait()
        assert self._stop is not None
        return self._stop

    def started(self, stop: Callable[[str], None], notes: list[str]) -> None:
        self._stop = stop
        self._started.set()
        tell_notes(notes, self._console)

    def progress(self, progress: Progress) -> None:
        total = f" of {self._settings.frames}" if self._settings.frames else ""
        figures = (
            f"p50 {progress.p50_ms:.1f} ms  p95 {progress.p95_ms:.1f} ms"
            if progress.p50_ms is not None and progress.p95_ms is not None
            else "no latency yet"
        )
        self._show(
            f"{progress.elapsed_s:6.1f} s  {progress.scheduled}{total} frames  {progress.rate:.1f}/s  "
            f"{figures}  {progress.dropped} dropped"
        )

    def waits(self, stream: int, frame: int, for_s: float) -> None:
        which = f"frame {frame} of stream {stream}" if stream else f"frame {frame}"
        line = f"{which} is due in {how_long(for_s)}: the file has a gap"
        self._console.print(line, highlight=False, soft_wrap=True)

    def _show(self, line: str) -> None:
        if self._live.is_started:
            self._live.update(Text(line, no_wrap=True, overflow="ellipsis"), refresh=True)
