"""Scoring the detections of runs of one source: against the most exact engine, and against ground truth if any."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from streamer.accuracy.agreement import Agreement
from streamer.accuracy.ground_truth import GroundTruth, find_truth
from streamer.accuracy.mean_average_precision import FrameTruth
from streamer.accuracy.streaming import offline_map50, streaming_map50
from streamer.detection.detections import Detections, no_detections
from streamer.errors import EngineError, ModelError, SourceError
from streamer.ledger.record import FrameRecord, Outcome
from streamer.models.model import Model
from streamer.rundir.detections_csv import read_detections
from streamer.rundir.frames_csv import read_frames
from streamer.rundir.paths import DETECTIONS, FRAMES
from streamer.settings.settings import Settings
from streamer.studies.frames import ChosenFrames, spread
from streamer.studies.offline_detector import agreement_of, as_truth, detect_offline
from streamer.studies.reference import most_exact


@dataclass(frozen=True, slots=True)
class Scored:
    """Agreement with the reference engine, and mAP50 offline and streaming; None for a score that is not known."""

    agreement: Agreement | None = None
    offline_map50: float | None = None
    streaming_map50: float | None = None


MOST_FRAMES = 2000
"""The most frames of a run that are scored, the first: scoring takes a millisecond a frame for every engine."""
MOST_COMPARED = 100
"""The most pictures that agreement is over, spread evenly, unless the reference has to see all of them anyway."""


@dataclass(frozen=True, slots=True, eq=False)
class RunToScore:
    """A run's ledger, and its detections by frame; a run of a ``null`` engine is not scored."""

    records: Sequence[FrameRecord]
    found: Mapping[int, Detections]
    null: bool = False


def run_to_score(directory: Path, *, null: bool) -> RunToScore:
    """The run in a directory."""
    return RunToScore(list(read_frames(directory / FRAMES)), read_detections(directory / DETECTIONS), null)


class Scoring:
    """The scoring of runs of ``source``, each of ``frames`` frames replayed with the settings ``replay``.

    The constructor checks all that can be checked before anything runs. ``truth`` is a COCO JSON. Without ground
    truth, the reference's detections offline stand for it. ``steps`` is how often `score` calls its ``advance``;
    after it ``notes`` says what the runs were scored against, and what could not be. Raises UsageError, and
    SourceError for a source or a truth that cannot be read.
    """

    def __init__(self, source: str, model: Model, replay: Settings, frames: int, truth: Path | None = None) -> None:
        self.reference = most_exact(model)
        self.notes: list[str] = []
        self._model = model
        self._replay = replay
        self._closed_loop = replay.pace == "max"
        self._scheduled = frames
        most = min(frames, MOST_FRAMES)
        self._frames = ChosenFrames(source, most, among=most, video_stream=replay.video_stream)
        found = find_truth(source, self._frames.info, model.names, truth)
        self.truth: GroundTruth | None = None if isinstance(found, str) else found
        self._no_truth = found if isinstance(found, str) else None
        pictures = self._frames.indices
        by_truth = self.truth is not None
        self._compared = frozenset(
            spread(MOST_COMPARED, len(pictures)) if by_truth or self._closed_loop else pictures
        )
        self.steps = len(self._compared) + (len(pictures) if by_truth else 0)
        if self.truth is not None and self._frames.info.frames is not None:
            # A file may lack a frame, which has to be known before anything runs. An endless scene has all.
            for picture in pictures:
                self.truth.of(picture)
            for frame in self._frames if self._frames.info.own_sizes else ():
                height, width = frame.image.shape[:2]
                self.truth.check(frame.index, (width, height))

    def score(self, runs: Iterable[RunToScore], advance: Callable[[], None]) -> list[Scored]:
        """The scores of each run. The reference runs only when there is a run to be scored."""
        measure: _Measure | None = None
        scored = []
        for run in runs:
            if run.null:
                scored.append(Scored())
                continue
            measure = measure or self._measure(advance)
            scored.append(self._scored(run, measure))
        return scored

    def _measure(self, advance: Callable[[], None]) -> _Measure:
        """Runs the reference, and looks up the truth."""
        if self._scheduled > MOST_FRAMES:
            self.notes.append(
                f"agreement and accuracy are those of the first {MOST_FRAMES:,} of {self._scheduled:,} frames"
            )
        reference = self._reference(advance)
        if self.truth is not None:
            return _Measure(reference, self._present(self.truth, advance))
        if self._closed_loop or not reference:
            return _Measure(reference, {})
        self.notes.append(f"accuracy is scored against what {self.reference.spec} finds offline; {self._no_truth}")
        return _Measure(reference, {picture: as_truth(found) for picture, found in reference.items()})

    def _reference(self, advance: Callable[[], None]) -> dict[int, Detections]:
        frames = (frame for frame in self._frames if frame.index in self._compared)
        try:
            return detect_offline(frames, self.reference, self._model, self._replay, advance)
        except (EngineError, ModelError, SourceError) as error:
            # The figures of the runs are worth keeping without it.
            self.notes.append(f"agreement is unchecked, the reference {self.reference.spec} did not run: {error}")
            return {}

    def _present(self, truth: GroundTruth, advance: Callable[[], None]) -> dict[int, FrameTruth]:
        if truth.unknown:
            left_out = ", ".join(truth.unknown)
            self.notes.append(f"{truth.name} counts without {left_out}, which the model does not know")
        present = {}
        for picture in self._frames.indices:
            present[picture] = truth.of(picture)
            advance()
        return present

    def _scored(self, run: RunToScore, measure: _Measure) -> Scored:
        records = [record for record in run.records if record.frame < MOST_FRAMES]

        def truth_of(frame: int) -> FrameTruth | None:
            return measure.truth.get(self._picture(frame))

        return Scored(
            self._agreement(records, run.found, measure.reference) if measure.reference else None,
            offline_map50(records, run.found, truth_of),
            None if self._closed_loop else streaming_map50(records, run.found, truth_of),
        )

    def _agreement(
        self, records: Sequence[FrameRecord], found: Mapping[int, Detections], reference: Mapping[int, Detections]
    ) -> Agreement:
        nothing = no_detections()
        delivered = [record.frame for record in records if record.outcome is Outcome.DELIVERED]
        return agreement_of(
            {frame: reference[self._picture(frame)] for frame in delivered if self._picture(frame) in reference},
            {frame: found.get(frame, nothing) for frame in delivered},
        )

    def _picture(self, frame: int) -> int:
        """The number of the source's picture that a frame shows; a source that loops shows them again."""
        pictures = self._frames.info.frames
        return frame if pictures is None else frame % pictures


@dataclass(frozen=True, slots=True, eq=False)
class _Measure:
    """What runs are scored against, by picture: the reference's detections, and the truth; empty without any."""

    reference: Mapping[int, Detections]
    truth: Mapping[int, FrameTruth]
