"""Compares an engine's boxes in the canary frame with those of its first time.

Every engine tried gave identical numbers for one frame 60 of 60 times, with other frames between. A device that adds
in varying order changes the sixth digit. The tolerances are coarser than that, and finer than a picture shows.
"""

from __future__ import annotations

import numpy as np

from streamer.detection.detections import Detections

CORNER_PX = 0.5
"""The tolerance of an edge of a box, in pixels of the source frame."""
CONFIDENCE = 0.001
"""The tolerance of a confidence."""


def changed_boxes(canary: Detections, now: Detections) -> int:
    """The number of boxes that differ from ``canary``: moved, of another class or confidence, gone, or new.

    Boxes are paired one to one: two in one place differ from one.
    """
    corners = np.abs(canary.xyxy[:, None] - now.xyxy[None]).max(axis=2, initial=0)
    confidence = np.abs(canary.confidence[:, None] - now.confidence[None])
    same = canary.class_id[:, None] == now.class_id[None]
    same &= (corners <= CORNER_PX) & (confidence <= CONFIDENCE)
    paired = 0
    for of_canary in same:
        (partners,) = np.nonzero(of_canary)
        if len(partners):
            same[:, partners[0]] = False
            paired += 1
    return max(len(canary), len(now)) - paired
