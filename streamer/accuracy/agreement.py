"""Agreement: the share of detections that two engines have in common in the same frames.

A detection of one engine with a confidence over 0.4 is matched by one of the other's, of its class and with an IoU
of 0.5 or more. The matched shares are computed in both directions; the agreement is the smaller one. A partner may
be less confident than 0.4, so that two engines do not disagree over an object at 0.401 and 0.399.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from streamer.detection.detections import Detections

CONFIDENCE = 0.4
"""Detections over this confidence need a partner."""
IOU = 0.5
"""The least overlap of a partner."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """The agreement of two engines over ``frames`` frames.

    ``reference`` and ``other`` are the numbers of compared detections of each, ``reference_matched`` and
    ``other_matched`` the numbers with a partner. Over the reference's pairs, ``box_px_*`` is the largest difference
    of an edge, in pixels of the source frame, and ``confidence_*`` the absolute difference; None without a pair.
    """

    frames: int
    reference: int
    reference_matched: int
    other: int
    other_matched: int
    box_px_mean: float | None
    box_px_max: float | None
    confidence_mean: float | None
    confidence_max: float | None

    @property
    def compared(self) -> int:
        """The number of compared detections, in both directions."""
        return self.reference + self.other

    @property
    def there(self) -> float | None:
        """The share of the reference's detections that the other matches; None when it has none."""
        return self.reference_matched / self.reference if self.reference else None

    @property
    def back(self) -> float | None:
        """The share of the other's detections that the reference matches; None when it has none."""
        return self.other_matched / self.other if self.other else None

    @property
    def smaller(self) -> float | None:
        """The agreement: the smaller of the two shares; None when neither found anything to compare."""
        return min((share for share in (self.there, self.back) if share is not None), default=None)


class AgreementMeter:
    """Accumulates the agreement of two engines frame by frame; it keeps only sums."""

    def __init__(self, *, confidence: float = CONFIDENCE, iou: float = IOU) -> None:
        self._confidence = confidence
        self._iou = iou
        self._frames = 0
        self._reference = self._reference_matched = 0
        self._other = self._other_matched = 0
        self._box_px = _Differences()
        self._confidences = _Differences()

    def add(self, reference: Detections, other: Detections) -> None:
        """Adds the detections of both engines in one frame."""
        self._frames += 1
        compared = np.flatnonzero(reference.confidence > self._confidence)
        partner = partners(reference, compared, other, self._iou)
        matched, theirs = compared[partner >= 0], partner[partner >= 0]
        self._reference += len(compared)
        self._reference_matched += len(matched)
        self._box_px.add(np.abs(reference.xyxy[matched] - other.xyxy[theirs]).max(axis=1, initial=0))
        self._confidences.add(np.abs(reference.confidence[matched] - other.confidence[theirs]))
        compared = np.flatnonzero(other.confidence > self._confidence)
        self._other += len(compared)
        self._other_matched += int((partners(other, compared, reference, self._iou) >= 0).sum())

    def result(self) -> Agreement:
        """The agreement so far."""
        return Agreement(
            frames=self._frames,
            reference=self._reference,
            reference_matched=self._reference_matched,
            other=self._other,
            other_matched=self._other_matched,
            box_px_mean=self._box_px.mean,
            box_px_max=self._box_px.most,
            confidence_mean=self._confidences.mean,
            confidence_max=self._confidences.most,
        )


class _Differences:
    """The mean and the largest of many differences."""

    def __init__(self) -> None:
        self._n = 0
        self._sum = 0.0
        self.most: float | None = None

    def add(self, differences: npt.NDArray[np.float32]) -> None:
        if len(differences):
            self._n += len(differences)
            self._sum += float(differences.sum(dtype=np.float64))
            self.most = max(self.most or 0.0, float(differences.max()))

    @property
    def mean(self) -> float | None:
        return self._sum / self._n if self._n else None


def partners(these: Detections, chosen: npt.NDArray[np.intp], those: Detections, iou: float) -> npt.NDArray[np.intp]:
    """For each of the ``chosen`` places (n) of ``these``, the place of its partner among ``those``; -1 for none: n.

    The most confident detection chooses first. Its partner is the free one of its class with the largest overlap, of
    ``iou`` or more. Each is the partner of one at most.
    """
    partner = np.full(len(chosen), -1, np.intp)
    if not len(those):
        return partner
    free = overlaps(these.xyxy[chosen], those.xyxy)
    free[these.class_id[chosen, None] != those.class_id[None]] = -1
    for place in np.argsort(-these.confidence[chosen], kind="stable"):
        best = free[place].argmax()
        if free[place, best] >= iou:
            partner[place] = best
            free[:, best] = -1
    return partner


def overlaps(these: npt.NDArray[np.float32], those: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Intersection over union of each of ``these`` boxes (n x 4, xyxy) with each of ``those`` (m x 4): n x m."""
    a, b = these[:, None].astype(np.float64), those[None].astype(np.float64)
    common = (np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])).clip(0).prod(axis=2)
    union = (a[..., 2:] - a[..., :2]).prod(axis=2) + (b[..., 2:] - b[..., :2]).prod(axis=2) - common
    # A box without an area overlaps nothing, not even itself.
    found: npt.NDArray[np.float64] = np.divide(common, union, out=np.zeros_like(common), where=union > 0)
    return found
