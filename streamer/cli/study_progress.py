"""Progress of runs that take turns, on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from streamer.cli.suspended import cursor_shown_while_stopped
from streamer.pipeline import housekeeping
from streamer.studies.interleave import Lane, Watch


@contextmanager
def study_progress(
    lanes: Sequence[Lane], console: Console, to_judge: int = 0
) -> Iterator[tuple[Watch, Callable[[], None]]]:
    """What a study is to call with how far it is, and with each frame of those ``to_judge`` when it has run.

    Shown on ``console``, nothing where that is no terminal; without a thread of its own, which would disturb.
    """
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
        judged = progress.add_task("judging what was found", total=to_judge, visible=False)

        def watch(lane: Lane, number: int, at: housekeeping.Progress | None) -> None:
            turn = "reading, compiling, warming up" if number < 0 else f"round {number + 1} of {len(lane.starts)}"
            so_far = "" if at is None or at.p50_ms is None else f", p50 {at.p50_ms:.1f} ms"
            done = sum(one.rounds for one in lanes)
            progress.update(turns, description=f"{lane.name}: {turn}{so_far}", completed=done, refresh=True)

        def judging() -> None:
            progress.update(turns, visible=False)
            progress.update(judged, advance=1, visible=True, refresh=True)

        yield watch, judging
