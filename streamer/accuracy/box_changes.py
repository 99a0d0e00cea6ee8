"""The canary: has what an engine finds in the golden frame changed?

Every engine that runs here answered one frame with the very same numbers 60 of 60 times, with others between. A
device that adds up in another order each time moves the sixth digit. What is compared is coarser than that, and finer
than what a picture shows.
"""

from __future__ import annotations

import numpy as np

from streamer.detection.detections import Detections

CORNER_PX = 0.5
"""An edge of a box may move by so much, in pixels of the source frame."""
CONFIDENCE = 0.001


def changed_boxes(canary: Detections, now: Detections) -> int:
    """How many boxes are not as in ``canary``: moved, of another class, more or less confident, gone, or new.

    A box serves one of the other side: two in one place are not the same as one.
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
