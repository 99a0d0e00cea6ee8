"""The progress of a study whose runs take turns, on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from streamer.cli.progress import tell_notes
from streamer.cli.suspended import cursor_shown_while_stopped
from streamer.pipeline import housekeeping
from streamer.studies.interleave import Lane, Watch
from streamer.studies.onlooker import Advance


class OnTerminal:
    """Shows on ``console`` how far a study is if that is a terminal; notes are always shown."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def notes(self, notes: Sequence[str]) -> None:
        tell_notes(notes, self._console)

    def progress(self, lanes: Sequence[Lane], to_score: int = 0) -> AbstractContextManager[tuple[Watch, Advance]]:
        return _progress(lanes, self._console, to_score)


@contextmanager
def _progress(lanes: Sequence[Lane], console: Console, to_score: int) -> Iterator[tuple[Watch, Advance]]:
    """The functions that a study calls; the bars have no thread of their own, which would disturb."""
    rounds = sum(len(lane.starts) for lane in lanes)
    with (
        cursor_shown_while_stopped(console),
        Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:,} of {task.total:,}"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            auto_refresh=False,
            disable=not console.is_terminal,
        ) as progress,
    ):
        turns = progress.add_task("", total=rounds)
        scored = progress.add_task("scoring the detections", total=to_score, visible=False)

        def watch(lane: Lane, number: int, at: housekeeping.Progress | None) -> None:
            so_far = "" if at is None or at.p50_ms is None else f", p50 {at.p50_ms:.1f} ms"
            done = sum(one.rounds for one in lanes)
            progress.update(turns, description=f"{lane.doing(number)}{so_far}", completed=done, refresh=True)

        def scoring() -> None:
            progress.update(turns, visible=False)
            progress.update(scored, advance=1, visible=True, refresh=True)

        yield watch, scoring
