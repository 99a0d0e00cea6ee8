"""Who looks on when a study of several runs is called by the library."""

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
    """Tells the caller's observer how far a study is, and ends the study when it is asked to stop."""

    def __init__(self, observer: Observer | None, stop: Stop) -> None:
        self._observer = observer
        self._stop = stop

    def notes(self, notes: Sequence[str]) -> None:
        """The document has those of the source."""

    @contextmanager
    def progress(self, lanes: Sequence[Lane], to_score: int = 0) -> Iterator[tuple[Watch, Advance]]:
        rounds, judged = sum(len(lane.starts) for lane in lanes), 0
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
            nonlocal judged
            judged += 1
            scoring.check()
            (scoring.done if judged == to_score else scoring.under_way)("judging what was found", judged, to_score)

        yield watch, advance

    def _tell(self, progress: Progress) -> None:
        self._stop.check()
        if self._observer is not None:
            self._observer(progress)
