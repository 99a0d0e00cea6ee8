"""What an engine finds offline: frame by frame, however long each takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from streamer.accuracy.agreement import Agreement, AgreementMeter
from streamer.accuracy.mean_average_precision import FrameTruth
from streamer.detection.detections import Detections
from streamer.engines.variants import EngineSpec
from streamer.frame import Frame
from streamer.models.model import Model
from streamer.settings import Settings
from streamer.studies.offline_detector import Opened

TRUTH_CONFIDENCE = 0.25
"""What an engine finds from this confidence on can stand for the truth where there is none."""


def detect_offline(
    frames: Iterable[Frame], spec: EngineSpec, model: Model, replay: Settings, advance: Callable[[], None]
) -> dict[int, Detections]:
    """What the engine finds in each frame, by its index, detected as ``replay`` says.

    ``advance`` is called after each frame. Raises EngineUnavailable, ModelError and EngineError when the engine
    cannot run here or fails, SourceError when the source does.
    """
    found = {}
    with Opened(spec, model, fit=replay.fit, confidence=replay.confidence, iou=replay.iou) as opened:
        for frame in frames:
            found[frame.index] = opened.detect(frame)
            advance()
    return found


def agreement_of(reference: Mapping[int, Detections], other: Mapping[int, Detections]) -> Agreement:
    """How far two engines agree over the frames that both have."""
    meter = AgreementMeter()
    for frame in sorted(reference.keys() & other.keys()):
        meter.add(reference[frame], other[frame])
    return meter.result()


def as_truth(found: Detections) -> FrameTruth:
    """What was found, as if it were the truth of the frame."""
    sure = found.confidence >= TRUTH_CONFIDENCE
    return FrameTruth(
        found.xyxy[sure].astype(np.float64),
        found.class_id[sure].astype(np.int64),
        np.zeros(int(sure.sum()), np.bool_),
    )
