"""Compare: the same frames through several engines at the camera's pace, in interleaved rounds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from streamer.engines.equivalence import file_of
from streamer.engines.variants import EngineSpec, Runtime
from streamer.errors import EngineError, EngineUnavailable, UsageError
from streamer.machine import installation
from streamer.models.model import Model
from streamer.pipeline.camera import cameras
from streamer.run.notes import gap_notes
from streamer.rundir.paths import file_name
from streamer.schedule.schedule import Limits
from streamer.settings.settings import Settings
from streamer.sources.base import Source
from streamer.sources.registry import open_source, refuse_live
from streamer.studies.compare.accuracy import Scored, Scoring, run_to_score
from streamer.studies.compare.document import Circumstances, ComparisonDocument, document_of, run_part
from streamer.studies.compare.rows import Entry, Table
from streamer.studies.engine_choice import check_refinements, why_not
from streamer.studies.interleave import Interleaved, Lane, Watch, frames_in_a_round, starts_of_rounds
from streamer.workers.clock import MonotonicClock

DEFAULT = "tutorial"
"""The engines that are compared unless others are requested."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareSettings:
    """The settings of a comparison.

    ``engines`` are parsed SPECs, each as often as it is to run. ``baseline`` is the engine that the others are
    compared with (None: the first that can run). ``replay`` are the settings of each run; its engine and ``out`` are
    set by the comparison. ``truth`` is a COCO JSON.
    """

    engines: tuple[EngineSpec, ...]
    replay: Settings
    baseline: EngineSpec | None = None
    truth: Path | None = None


class Comparison:
    """The comparison of engines on one source and model.

    The constructor checks all that can be checked before anything runs. ``frames`` is the number of frames that each
    engine is to see, ``starts`` the frames with which rounds begin, ``source_notes`` the notes on the source. Raises
    UsageError, SourceError and ModelError, and EngineUnavailable when no engine can run here, or the baseline cannot.
    """

    def __init__(self, source: str, model: Model, settings: CompareSettings, out: Path) -> None:
        self.source = source
        self.model = model
        self.settings = settings
        self.out = out
        baseline = settings.baseline
        others = settings.engines
        self.engines = others if baseline is None or baseline in others else (baseline, *others)
        refuse_live(source)
        with closing(_open(source, settings.replay)) as opened:
            self.info = opened.info
            replay = settings.replay
            (self._camera,) = cameras([source], [opened], replay.pace, None, skip_gaps=replay.skip_gaps)
        pace = replay.pace
        self.rate = pace if isinstance(pace, Fraction) else self.info.rate
        self.frames = self._frames()
        self.source_notes = [*self.info.notes, *gap_notes(self._camera, Limits(self.frames))]
        self.starts = starts_of_rounds(self.frames, self.rate, self.info.uri)
        self.why_not = why_not(self.engines, model)
        if baseline in self.why_not:
            raise EngineUnavailable(f"the baseline cannot run here: {self.why_not[baseline]}")
        check_refinements(self.engines, model)
        self.scoring = Scoring(source, model, settings.replay, self.frames, settings.truth)
        self.lanes = self._lanes()

    def run(self, watch: Watch) -> None:
        """Runs the engines. An interruption keeps the rounds that are done. Raises UsageError and SourceError."""
        round_s = float(self.frames / len(self.starts) / self.rate)
        gaps = self._camera.schedule.gaps
        longest_s = 0 if gaps is None or gaps.skipped else max(gap.us for gap in gaps.gaps) / 1_000_000
        Interleaved(self.source, self.running, round_s, watch, longest_gap_s=longest_s).run()

    @property
    def running(self) -> list[Lane]:
        """The lanes of engines that can run and have not failed."""
        return [lane for lane in self.lanes if lane.why is None]

    def document(self, advance: Callable[[], None]) -> ComparisonDocument:
        """The document of a whole comparison; scores the detections, and calls ``advance`` `Scoring.steps` times.

        Raises EngineError when no engine came to its end.
        """
        if not self.running:
            raise EngineError(f"no engine came to its end: {self.lanes[0].why}")
        done = self._done()
        runs = (
            run_to_score(directory, null=spec.runtime is Runtime.NULL)
            for spec, lane in zip(self.engines, self.lanes, strict=True)
            if lane.why is None and (directory := lane.directory) is not None
        )
        scored = iter(self.scoring.score(runs, advance))
        return self._document(
            [None if lane.why is not None else next(scored) for lane in self.lanes],
            done,
            [*self._notes(), *self.scoring.notes],
            interrupted=False,
        )

    def document_so_far(self) -> ComparisonDocument | None:
        """The document of an interrupted comparison, of the rounds that all have finished; None without any."""
        done = self._done()
        if not done or not self.running:
            return None
        notes = [*self._notes(), "interrupted: the engines' detections were not scored"]
        return self._document([None for _ in self.lanes], done, notes, interrupted=True)

    def _done(self) -> int:
        """The number of rounds that all engines have done, but those that failed."""
        return min((lane.rounds for lane in self.running), default=0)

    def _document(
        self, scored: Sequence[Scored | None], done: int, notes: Sequence[str], *, interrupted: bool
    ) -> ComparisonDocument:
        frames = self.frames if done == len(self.starts) else self.starts[done]
        block = frames_in_a_round(self.rate)
        entries = [
            Entry(
                lane.name,
                None if lane.why else lane.directory,
                lane.why,
                file_of(spec, self.model),
                worth,
                block=block,
                starts=self.starts[:done],
                frames=frames,
            )
            for spec, lane, worth in zip(self.engines, self.lanes, scored, strict=True)
        ]
        table = Table(entries, self._baseline(), beside=self.out)
        manifest = table.runs[table.baseline].manifest
        were_scored = any(worth not in (None, Scored()) for worth in scored)
        return document_of(
            table,
            Circumstances(
                source=manifest["source"],
                model=manifest["model"],
                machine=manifest["machine"],
                versions=manifest["versions"],
                run=run_part(manifest, frames, done, block, interrupted),
                reference=self.scoring.reference.spec if were_scored else None,
                truth=self.scoring.truth.name if self.scoring.truth is not None and were_scored else None,
                notes=notes,
                doubts=[],
            ),
        )

    def _baseline(self) -> str:
        """The name of the engine that the others are compared with: the requested one, else the first that ran."""
        requested = self.settings.baseline
        for spec, lane in zip(self.engines, self.lanes, strict=True):
            if lane.why is None and requested in (None, spec):
                return lane.name
        return self.running[0].name

    def _notes(self) -> list[str]:
        requested = self.settings.baseline or self.engines[0]
        first = next(lane for spec, lane in zip(self.engines, self.lanes, strict=True) if spec == requested)
        notes = [*self.source_notes, *installation.notes()]
        if first.why is None:
            return notes
        return [f"{first.name} did not run, so the others are compared with {self._baseline()}", *notes]

    def _frames(self) -> int:
        """The number of frames that each engine is to see."""
        replay = self.settings.replay
        limits = [frames for frames in (self.info.frames, replay.frames) if frames is not None]
        if replay.duration_s is not None:
            limits.append(int(Fraction(replay.duration_s) * self.rate))
        if not limits:
            raise UsageError(f"{self.info.uri} has no end: say with --frames or --duration how long to compare")
        return min(limits)

    def _lanes(self) -> list[Lane]:
        counted: Counter[EngineSpec] = Counter()
        lanes = []
        for spec in self.engines:
            counted[spec] += 1
            name = spec.spec if counted[spec] == 1 else f"{spec.spec} ({counted[spec]})"
            replay = replace(
                self.settings.replay,
                engine=spec.spec,
                frames=self.frames,
                duration_s=None,
                out=self.out / file_name(name),
            )
            lanes.append(Lane(name, replay, self.starts, why=self.why_not.get(spec)))
        return lanes


def _open(source: str, replay: Settings) -> Source:
    now_us = MonotonicClock().now_us
    return open_source(source, loop=replay.loop, now_us=now_us, video_stream=replay.video_stream)
