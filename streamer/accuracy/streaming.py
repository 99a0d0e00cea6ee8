"""Streaming accuracy: how well what is known at each tick of the camera fits what is there at that tick.

After "Towards Streaming Perception" (Li, Wang, Ramanan, ECCV 2020): the world goes on while a frame is worked on, so
that an answer is judged by the truth of the instant at which it is the newest, and an instant without an answer by an
empty one. No frame is detected at its own tick; whatever the latency, an answer is a tick old or older.

Beside it stands the offline accuracy: the same detections against the truth of the frames that they were found in.
Both are from what the run delivered, so that between them there is nothing but time, and the ticks of what was lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from streamer.accuracy.mean_average_precision import FrameTruth, evaluate
from streamer.detection.detections import Detections, no_detections
from streamer.ledger.record import FrameRecord, Outcome

TruthOf = Callable[[int], FrameTruth | None]
"""The truth of a frame by its index; None for one of which it is not known, which does not count."""


def streaming_map50(
    records: Sequence[FrameRecord], found: Mapping[int, Detections], truth_of: TruthOf
) -> float | None:
    """mAP50 of the newest detections known at the tick of each scheduled frame; None without an object.

    ``records`` are those of one run, in any order; ``found`` is what it found by frame, one that is not among them
    holding nothing. In a closed loop, where nothing is due, it means nothing.
    """
    nothing = no_detections()
    return _map50(
        (nothing if newest is None else found.get(newest, nothing), truth_of(frame))
        for frame, newest in newest_known(records)
    )


def offline_map50(records: Sequence[FrameRecord], found: Mapping[int, Detections], truth_of: TruthOf) -> float | None:
    """mAP50 of the detections of each delivered frame, as if there had been no latency; None without an object."""
    nothing = no_detections()
    return _map50(
        (found.get(record.frame, nothing), truth_of(record.frame))
        for record in records
        if record.outcome is Outcome.DELIVERED
    )


def newest_known(records: Sequence[FrameRecord]) -> Iterator[tuple[int, int | None]]:
    """Each scheduled frame, and the newest one whose detections were there when it was due; None before the first.

    A frame that was delivered counts from the instant at which it was detected, that instant included.
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
    # Classes without an object have no share in the mean.
    classes = sorted({class_id for truth in truths for class_id in truth.class_id.tolist()})
    return evaluate(truths, found, classes).map50 if classes else None
