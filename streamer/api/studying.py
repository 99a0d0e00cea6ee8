"""The progress of a study of several runs, for the caller's observer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from streamer.api.progress import Observer, Progress
from streamer.api.telling import Telling
from streamer.pipeline import housekeeping
from streamer.studies.interleave import Lane, Watch
from streamer.studies.onlooker import Advance
from streamer.workers.stopping import Stop


class Observed:
    """Calls the caller's observer with the progress of a study, and ends the study when `Stop` says so.

    Its functions raise Interrupted then.
    """

    def __init__(self, observer: Observer | None, stop: Stop) -> None:
        self._observer = observer
        self._stop = stop

    def notes(self, notes: Sequence[str]) -> None:
        """Nothing: the study's document has them."""

    @contextmanager
    def progress(self, lanes: Sequence[Lane], to_score: int = 0) -> Iterator[tuple[Watch, Advance]]:
        rounds, scored = sum(len(lane.starts) for lane in lanes), 0
        scoring = Telling(self._observer, self._stop, "frames")

        def watch(lane: Lane, number: int, at: housekeeping.Progress | None) -> None:
            self._tell(
                Progress(
                    doing=lane.doing(number),
                    done=sum(one.rounds for one in lanes),
                    total=rounds,
                    unit="rounds",
                    p50_ms=None if at is None else at.p50_ms,
                    p95_ms=None if at is None else at.p95_ms,
                    dropped=0 if at is None else at.dropped,
                )
            )

        def advance() -> None:
            nonlocal scored
            scored += 1
            scoring.check()
            (scoring.done if scored == to_score else scoring.under_way)("scoring the detections", scored, to_score)

        yield watch, advance

    def _tell(self, progress: Progress) -> None:
        self._stop.check()
        if self._observer is not None:
            self._observer(progress)
