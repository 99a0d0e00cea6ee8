"""Gathers the facts of a run: at its end, and as far as they are known before its first frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from streamer.errors import StreamerError
from streamer.ledger.ledger import Ledger
from streamer.ledger.outages import Outages
from streamer.pipeline.engine_restart import Replacing
from streamer.pipeline.housekeeping import doing
from streamer.pipeline.pipeline import Pipeline
from streamer.pipeline.priming import Primer
from streamer.pipeline.rounds import Intermission
from streamer.pipeline.watchdog import Watchdog
from streamer.run.doubts import AT_THE_END, doubts
from streamer.run.facts import Contention, Facts, Observed, totals
from streamer.run.manifest import summary
from streamer.run.measured_parts import device_parts, priming_part, replacements_part, resources_part, stalls_part
from streamer.run.measurements import Measurements
from streamer.run.resources import Opened
from streamer.run.setup import setup
from streamer.rundir.segments import SegmentedVideo, Segments
from streamer.video.late import AnyVideo
from streamer.workers.defects import as_streamer_error


@dataclass(frozen=True, slots=True)
class Aids:
    """The optional parts of a run beside its pipeline (None: not requested); ``videos`` are the annotated ones."""

    watchdog: Watchdog
    outages: Outages
    primer: Primer | None
    intermission: Intermission | None
    replacing: Replacing | None
    segments: Segments | None
    videos: Sequence[AnyVideo | SegmentedVideo]


@dataclass(slots=True)
class End:
    """The end of a run: its last stamp, its CPU seconds, and the error that ended it or what stopped it."""

    duration_us: int = 0
    cpu_s: float = 0.0
    failure: StreamerError | None = None
    interrupted: str | None = None

    @contextmanager
    def failing(self) -> Iterator[None]:
        """Makes an error within it the failure of the run, unless the run had failed before."""
        try:
            with doing("end the run in good order"):
                yield
        except Exception as error:  # a defect of ours too: the rest is written all the same
            self.failure = self.failure or as_streamer_error(error)


@dataclass(frozen=True, slots=True)
class Account:
    """The objects that hold a run's facts; ``sha256`` is its source's, ``damage`` are signs of a damaged model."""

    opened: Opened
    measured: Measurements
    aids: Aids
    deadline_us: int | None
    sha256: str | None
    damage: Sequence[str]
    ledger: Ledger
    pipeline: Pipeline

    def begun(self) -> dict[str, Any]:
        """The manifest as far as it is known before the first frame, with the values that a repair needs besides."""
        settings, facts = self.opened.settings, self.facts(End())
        return {
            **summary(facts),
            "verdict": None,
            "answer": None,
            "doubts": doubts(facts, without=AT_THE_END),
            "asked": {
                "frames": settings.frames,
                "duration_s": settings.duration_s,
                "respawn": settings.respawn,
                "promised": [camera.source.info.frames for camera in self.opened.cameras],
            },
        }

    def facts(self, end: End) -> Facts:
        """The facts of the run at its ``end``."""
        opened, aids = self.opened, self.aids
        return Facts(
            setup=setup(opened, self.deadline_us, self.sha256),
            totals=totals(self.ledger, self.measured.tally, self.measured.windows, self.measured.backlog),
            duration_us=end.duration_us,
            error=None if end.failure is None else str(end.failure),
            stopped_by=end.interrupted,
            raised=[*self.damage, *(doubt for camera in opened.cameras for doubt in camera.source.doubts)],
            outages=aids.outages.part() if any(camera.source.info.live for camera in opened.cameras) else None,
            replacements=() if aids.replacing is None else replacements_part(aids.replacing.done),
            segments=None if aids.segments is None else aids.segments.part(),
            study=None if aids.intermission is None else aids.intermission.study,
            rounds=None if aids.intermission is None else aids.intermission.started,
            observed=self._observed(end),
            repaired=None,
        )

    def _observed(self, end: End) -> Observed:
        opened, measured, aids, pipeline = self.opened, self.measured, self.aids, self.pipeline
        load, faults, meter = opened.load, opened.faults, measured.meter
        held = sum(video.held for video in aids.videos)
        return Observed(
            device_changes=measured.device_changes,
            device_parts=device_parts(measured.device_changes, measured.tally, end.duration_us),
            tail=measured.tail.explain(),
            priming=None if aids.primer is None else priming_part(aids.primer.tally),
            stalls=stalls_part(aids.watchdog.stalls),
            resources=resources_part(opened, meter, pipeline, end.cpu_s, held, measured.suspensions.part()),
            contention=Contention.seen_by(meter),
            ungated=pipeline.ungated,
            undrawn=pipeline.undrawn,
            held=held,
            load_cores=0.0 if load is None else load.cores_used,
            load_doubts=() if load is None else load.doubts(),
            fault_doubts=() if faults is None else faults.doubts(),
            faults_missed=() if faults is None else faults.missed(),
        )
