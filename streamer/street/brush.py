"""The brush: paints actors into the image and, at the same pixels, into a mask of who is where."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamer.vendors.opencv import cv2

Image = NDArray[np.uint8]
Colour = tuple[float, float, float]


def shade(colour: Colour, share: float) -> Colour:
    """A colour with this share of its light."""
    return colour[0] * share, colour[1] * share, colour[2] * share


SHIFT = 4
"""Fractional bits of polygon corners: sixteenths of a pixel, so that slow movement is smooth."""


@dataclass(frozen=True, slots=True)
class Sketch:
    """An actor as filled polygons: all corners (n, 2) in pixels, and each polygon's start, stop and BGR colour."""

    corners: NDArray[np.float64]
    spans: list[tuple[int, int]]
    colours: list[Colour]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of whole pixels; the upper ends are exclusive. It may reach beyond the image."""

    x1: int
    y1: int
    x2: int
    y2: int

    def within(self, width: int, height: int) -> Box:
        """The part of the box inside an image (possibly empty)."""
        return Box(max(self.x1, 0), max(self.y1, 0), min(self.x2, width), min(self.y2, height))

    @property
    def empty(self) -> bool:
        return self.x1 >= self.x2 or self.y1 >= self.y2


class Canvas:
    """A frame being painted: ``image`` (h, w, 3) in BGR, and ``owner`` (h, w), the slot of the actor seen, or 0."""

    def __init__(self, backdrop: Image) -> None:
        self.image = backdrop.copy()
        self.height, self.width = backdrop.shape[:2]
        self.owner: Image = np.zeros((self.height, self.width), np.uint8)

    def paint(self, sketch: Sketch, slot: int, blur_px: int = 0) -> tuple[Box, int]:
        """Paints an actor; returns the box of its silhouette inside the image, and its whole area in pixels.

        The area includes what lies beyond the image's edge: an actor cut off by it is known to be partly hidden.
        ``blur_px`` smears it sideways by that much: the shutter was open while it moved.
        """
        corners = sketch.corners
        low, high = (
            np.floor(corners.min(axis=0)).astype(int) - 1,
            np.ceil(corners.max(axis=0)).astype(int) + 2,
        )
        margin = self.width
        whole = Box(
            max(int(low[0]), -margin), max(int(low[1]), -margin),
            min(int(high[0]), self.width + margin), min(int(high[1]), self.height + margin),
        )  # fmt: skip
        box = whole.within(self.width, self.height)
        if box.empty:
            return box, 0
        silhouette: Image = np.zeros((whole.y2 - whole.y1, whole.x2 - whole.x1), np.uint8)
        fixed = np.rint(corners * (1 << SHIFT)).astype(np.int32)
        local = fixed - np.array([whole.x1, whole.y1], np.int32) * (1 << SHIFT)
        for (start, stop), colour in zip(sketch.spans, sketch.colours, strict=True):
            cv2.fillPoly(self.image, [fixed[start:stop]], colour, cv2.LINE_AA, SHIFT)
            cv2.fillPoly(silhouette, [local[start:stop]], 1, cv2.LINE_8, SHIFT)
        inside = silhouette[box.y1 - whole.y1 : box.y2 - whole.y1, box.x1 - whole.x1 : box.x2 - whole.x1]
        np.copyto(self.owner[box.y1 : box.y2, box.x1 : box.x2], np.uint8(slot), where=inside.view(np.bool_))
        if blur_px > 1:
            self._smear(box, inside, blur_px)
        return box, cv2.countNonZero(silhouette)

    def _smear(self, box: Box, silhouette: Image, blur_px: int) -> None:
        region = self.image[box.y1 : box.y2, box.x1 : box.x2]
        reach = cv2.dilate(np.ascontiguousarray(silhouette), np.ones((1, blur_px), np.uint8))
        cv2.copyTo(cv2.blur(region, (blur_px, 1)), reach, region)

    def darken(self, points: NDArray[np.float64], keep: float) -> None:
        """Paints a shadow: keeps this share of the light inside a polygon (n, 2) in pixels."""
        low, high = np.floor(points.min(axis=0)).astype(int), np.ceil(points.max(axis=0)).astype(int) + 1
        box = Box(int(low[0]), int(low[1]), int(high[0]), int(high[1])).within(self.width, self.height)
        if box.empty:
            return
        region = self.image[box.y1 : box.y2, box.x1 : box.x2]
        mask: Image = np.zeros(region.shape[:2], np.uint8)
        local = np.rint((points - np.array([box.x1, box.y1])) * (1 << SHIFT)).astype(np.int32)
        cv2.fillPoly(mask, [local], 1, cv2.LINE_8, SHIFT)
        cv2.copyTo(cv2.convertScaleAbs(region, alpha=keep), mask, region)

    def glow(self, centre: NDArray[np.float64], radius_px: float, colour: Colour) -> None:
        """Adds a light seen directly, as a soft disc."""
        size = 2 * int(radius_px) + 1
        x, y = int(centre[0]) - size // 2, int(centre[1]) - size // 2
        box = Box(x, y, x + size, y + size).within(self.width, self.height)
        if size < 3 or box.empty:
            return
        axis = np.linspace(-1.0, 1.0, size)
        disc = np.exp(-5.0 * (axis[:, None] ** 2 + axis[None, :] ** 2)) - np.exp(-5.0)
        disc = np.clip(disc, 0.0, None)[box.y1 - y : box.y2 - y, box.x1 - x : box.x2 - x, None]
        region = self.image[box.y1 : box.y2, box.x1 : box.x2]
        cv2.add(region, (disc * np.array(colour)).astype(np.uint8), dst=region)

    def overlay(self, box: Box, premultiplied: Image, keep: Image) -> None:
        """Paints a prop in front: adds its colour, and keeps the share ``keep`` (0 to 255) of what it covers.

        Where that is less than half, nobody is seen.
        """
        region = self.image[box.y1 : box.y2, box.x1 : box.x2]
        cv2.multiply(region, keep, dst=region, scale=1 / 255)
        cv2.add(region, premultiplied, dst=region)
        np.copyto(self.owner[box.y1 : box.y2, box.x1 : box.x2], np.uint8(0), where=keep[:, :, 0] < 128)
