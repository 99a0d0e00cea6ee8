"""What studies have in common when the library is called: their options, and who looks on."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from streamer.api.progress import Observer, Progress
from streamer.pipeline import housekeeping
from streamer.settings.keywords import no_such_option
from streamer.settings.settings import Settings
from streamer.settings.video import Video
from streamer.studies.interleave import Lane, Watch
from streamer.studies.onlooker import Advance
from streamer.workers.stopping import Stop

TOLD_S = 0.5
"""An observer is called about so often."""


def replay_settings(given: Mapping[str, Any], known: type, own: Sequence[str]) -> Settings:
    """How a study replays, by the options of the typed dictionary ``known`` that are given; without a video.

    ``own`` are names of options that the study takes beside these. Raises UsageError for what is none of them.
    """
    names = known.__annotations__.keys()
    for unknown in given.keys() - names:
        raise no_such_option(unknown, {*names, *own})
    return Settings(**{"video": Video.NONE, **given})


class Observed:
    """Tells the caller's observer how far a study is, and ends the study when it is asked to stop."""

    def __init__(self, observer: Observer | None, stop: Stop) -> None:
        self._observer = observer
        self._stop = stop

    def notes(self, notes: Sequence[str]) -> None:
        """The document has those of the source."""

    @contextmanager
    def progress(self, lanes: Sequence[Lane], to_judge: int = 0) -> Iterator[tuple[Watch, Advance]]:
        rounds, judged, told_s = sum(len(lane.starts) for lane in lanes), 0, 0.0

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
            nonlocal judged, told_s
            self._stop.check()
            judged += 1
            now_s = time.monotonic()
            if judged in (1, to_judge) or now_s - told_s >= TOLD_S:
                told_s = now_s
                self._tell(Progress(doing="judging what was found", done=judged, total=to_judge, unit="frames"))

        yield watch, advance

    def _tell(self, progress: Progress) -> None:
        self._stop.check()
        if self._observer is not None:
            self._observer(progress)
