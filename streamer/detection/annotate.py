"""Draws detections on a frame, with a colour per class."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from streamer.detection.class_names import label_of
from streamer.detection.detections import Detections
from streamer.frame import Image
from streamer.vendors.opencv import cv2

Colour = tuple[int, int, int]
"""Blue, green, red; 0 to 255."""

HUE_STEP = 0.618033988749895
"""The fraction of (1 + sqrt 5) / 2: its multiples, modulo 1, are spread evenly."""
STALE_COLOUR: Colour = (160, 160, 160)


@lru_cache(maxsize=1024)
def class_colour(class_id: int) -> Colour:
    """The colour of a class. Hues of consecutive ids differ by `HUE_STEP`, so that neighbours differ clearly."""
    red, green, blue = colorsys.hsv_to_rgb((0.02 + class_id * HUE_STEP) % 1, 0.85, 1.0)
    return round(blue * 255), round(green * 255), round(red * 255)


def annotate(image: Image, detections: Detections, names: Sequence[str]) -> None:
    """Draws boxes, labels and confidences on ``image`` (height x width x 3 uint8, BGR), in place.

    ``names`` are by class id; without any, labels are ``class_N``.
    """
    for corners, class_id, confidence in _objects(detections):
        _box(image, corners, class_colour(class_id), f"{label_of(names, class_id)} {confidence:.2f}")


def annotate_stale(image: Image, detections: Detections, names: Sequence[str], age_us: int | None) -> None:
    """Draws on a dropped frame, in place and in gray, the newest boxes known at its time, and their age.

    ``age_us`` is in microseconds; None when no frame had been detected yet.
    """
    for corners, class_id, _ in _objects(detections):
        _box(image, corners, STALE_COLOUR, f"{label_of(names, class_id)} stale")
    text = "dropped, no boxes yet" if age_us is None else f"dropped, boxes {age_us / 1000:.0f} ms old"
    scale = _text_scale(image)
    (_, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    _text(image, text, (6, height + 8), STALE_COLOUR, scale)


def _objects(detections: Detections) -> list[tuple[tuple[int, int, int, int], int, float]]:
    corners = np.rint(detections.xyxy).astype(int).tolist()
    ids, confidences = detections.class_id.tolist(), detections.confidence.tolist()
    # Reversed: the most confident is drawn last, on top.
    return [
        ((x1, y1, x2, y2), class_id, confidence)
        for (x1, y1, x2, y2), class_id, confidence in zip(corners, ids, confidences, strict=True)
    ][::-1]


def _text_scale(image: Image) -> float:
    return max(0.4, float(min(image.shape[:2])) / 1200)


def _box(image: Image, corners: tuple[int, int, int, int], colour: Colour, label: str) -> None:
    left, top, right, bottom = corners
    thickness = max(1, round(min(image.shape[:2]) / 320))
    cv2.rectangle(image, (left, top), (right, bottom), colour, thickness)
    scale = _text_scale(image)
    (_, height), _ = cv2.getTextSize(label, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    baseline = top - 4 if top - height - 6 >= 0 else top + height + 4
    _text(image, label, (left, baseline), colour, scale)


def _text(image: Image, text: str, origin: tuple[int, int], colour: Colour, scale: float) -> None:
    """Draws text at ``origin`` (its lower left corner) on ``colour``, in black or white by the brightness of that."""
    (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    x = max(0, min(origin[0], image.shape[1] - width - 2))
    y = origin[1]
    cv2.rectangle(image, (x, y - height - 3), (x + width + 2, y + 3), colour, cv2.FILLED)
    blue, green, red = colour
    ink = (0, 0, 0) if 0.114 * blue + 0.587 * green + 0.299 * red > 128 else (255, 255, 255)
    cv2.putText(image, text, (x + 1, y), cv2.FONT_HERSHEY_SIMPLEX, scale, ink, 1, cv2.LINE_AA)
