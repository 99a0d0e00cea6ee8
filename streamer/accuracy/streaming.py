"""Streaming accuracy: the newest detections at each tick of the camera, scored against the truth at that tick.

It follows "Towards Streaming Perception" (Li, Wang, Ramanan, ECCV 2020): the world goes on while a frame is
processed. Detections are scored against the truth of the instant at which they are the newest; an instant before the
first ones is scored as if nothing was found. No frame is detected at its own tick: at any latency, detections are at
least one tick old.

The offline accuracy scores the same detections against the truth of their own frames. Both use what the run
delivered, so that they differ only by time, and by the ticks of frames that were not delivered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from streamer.accuracy.mean_average_precision import FrameTruth, evaluate
from streamer.detection.detections import Detections, no_detections
from streamer.ledger.record import FrameRecord, Outcome

TruthOf = Callable[[int], FrameTruth | None]
"""Returns the truth of a frame by its index; None where it is unknown: such a frame does not count."""


def streaming_map50(
    records: Sequence[FrameRecord], found: Mapping[int, Detections], truth_of: TruthOf
) -> float | None:
    """mAP50 of the newest detections known at the tick of each scheduled frame; None without an object.

    ``records`` are those of one run, in any order. ``found`` has its detections by frame; in a frame without an
    entry nothing was found. It is meaningless for a closed loop, where nothing is due.
    """
    nothing = no_detections()
    return _map50(
        (nothing if newest is None else found.get(newest, nothing), truth_of(frame))
        for frame, newest in newest_known(records)
    )


def offline_map50(records: Sequence[FrameRecord], found: Mapping[int, Detections], truth_of: TruthOf) -> float | None:
    """mAP50 of the detections of each delivered frame, as if there were no latency; None without an object."""
    nothing = no_detections()
    return _map50(
        (found.get(record.frame, nothing), truth_of(record.frame))
        for record in records
        if record.outcome is Outcome.DELIVERED
    )


def newest_known(records: Sequence[FrameRecord]) -> Iterator[tuple[int, int | None]]:
    """Each scheduled frame, and the newest frame whose detections were known when it was due; None before the first.

    A delivered frame counts from the instant at which it was detected, including that instant.
    """
    delivered = sorted(
        (record.detected, record.scheduled, record.frame)
        for record in records
        if record.outcome is Outcome.DELIVERED and record.detected is not None
    )
    newest: tuple[int, int] | None = None
    known = 0
    for tick, frame in sorted((record.scheduled, record.frame) for record in records):
        while known < len(delivered) and delivered[known][0] <= tick:
            newest = max(newest or delivered[known][1:], delivered[known][1:])
            known += 1
        yield frame, None if newest is None else newest[1]


def _map50(pairs: Iterator[tuple[Detections, FrameTruth | None]]) -> float | None:
    found, truths = [], []
    for detections, truth in pairs:
        if truth is not None:
            found.append(detections)
            truths.append(truth)
    # Classes without objects do not count in the mean.
    classes = sorted({class_id for truth in truths for class_id in truth.class_id.tolist()})
    return evaluate(truths, found, classes).map50 if classes else None
