"""Props: trees, lamp posts, hedges and railings, which stand still and hide whoever passes behind them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from streamer.street.backdrop import FINE, Painter, Prop, reduced
from streamer.street.brush import Box, Colour, shade
from streamer.vendors.opencv import cv2

Thing: TypeAlias = Callable[[Painter, float, float], None]
"""Paints one prop that stands at (x, z)."""

LEAVES: tuple[Colour, ...] = ((50, 100, 70), (45, 85, 60), (60, 115, 95), (55, 95, 110))


def paint_props(painter: Painter) -> list[Prop]:
    """All props of a street, the farthest first."""
    rng, layout = painter.rng, painter.layout
    painter.image[:], painter.mask[:] = 0, 0
    made: list[Prop | None] = []

    def row(z: float, step: float, thing: Thing, chance: float = 1.0) -> None:
        low, high = painter.view.reach(z, 3.0)
        places = np.arange(low + rng.random() * step, high, step)
        made.extend(_cut(painter, z, float(x), thing) for x in places if rng.random() < chance)

    if rng.random() < 0.6:
        row(layout.kerb_far + 0.3, rng.uniform(7.0, 12.0), _tree, 0.8)
    row(layout.kerb_far + 0.25, rng.uniform(14.0, 22.0), _lamp)
    middle = layout.lane_edges[len(layout.lane_edges) // 2]
    if rng.random() < 0.6:
        row(middle, 3.0, _hedge if rng.random() < 0.6 else _railing, 0.85)
    if rng.random() < 0.6:
        row(layout.kerb_near - 0.4, rng.uniform(5.0, 9.0), _sapling, 0.7)
    if rng.random() < 0.5:
        row(layout.kerb_near - 0.3, rng.uniform(12.0, 18.0), _lamp, 0.8)
    if rng.random() < 0.5:
        row(layout.kerb_near - 0.15, rng.uniform(2.8, 4.0), _hedge, 0.45)
    if rng.random() < 0.5:
        row(layout.kerb_near - 3.3, rng.uniform(3.0, 5.0), _hedge, 0.35)
    return sorted((prop for prop in made if prop), key=lambda prop: -prop.z)


def _cut(painter: Painter, z: float, x: float, thing: Thing) -> Prop | None:
    """Paints a prop alone on the cleared image, cuts out its rectangle, and clears that again."""
    thing(painter, x, z)
    left, top, wide, high = cv2.boundingRect(painter.mask)
    if wide == 0 or high == 0:
        return None
    box = Box(left // FINE, top // FINE, -(-(left + wide) // FINE), -(-(top + high) // FINE))
    fine = np.s_[box.y1 * FINE : box.y2 * FINE, box.x1 * FINE : box.x2 * FINE]
    colour, mask = (reduced(sheet[fine]) for sheet in (painter.image, painter.mask))
    painter.image[fine] = 0
    painter.mask[fine] = 0
    keep = np.repeat(255 - mask[:, :, None], 3, axis=2)
    return Prop(z, box, colour, keep)


def _slab(painter: Painter, x1: float, x2: float, y1: float, y2: float, z: float, colour: Colour) -> None:
    points = np.array([(x1, y1, z), (x2, y1, z), (x2, y2, z), (x1, y2, z)], float)
    painter.polygon(points, colour, faded=True)


def _blob(painter: Painter, x: float, y: float, z: float, radius: float, colour: Colour) -> None:
    pixels, depth = painter.view.project(np.array([(x, y, z)], float))
    size = int(radius * painter.view.focal_px / float(depth[0]) * FINE)
    centre = (int(pixels[0, 0] * FINE), int(pixels[0, 1] * FINE))
    cv2.circle(painter.image, centre, size, painter.colour(colour, float(depth[0]), faded=True), -1)
    cv2.circle(painter.mask, centre, size, 255, -1)


def _foliage(painter: Painter, x: float, y: float, z: float, radius: float) -> None:
    rng = painter.rng
    leaf = LEAVES[rng.integers(len(LEAVES))]
    for number in range(26):
        # From the dark inside to the lit top, so that the crown has depth.
        tone = shade(leaf, 0.6 + 0.5 * number / 26)
        angle, away = rng.uniform(0, 2 * np.pi), radius * 0.8 * rng.random() ** 0.5
        rise = 0.25 * radius * number / 26 + 0.7 * away * np.sin(angle)
        _blob(painter, x + away * np.cos(angle), y + rise, z, radius * rng.uniform(0.22, 0.42), tone)


def _tree(painter: Painter, x: float, z: float) -> None:
    tall = painter.rng.uniform(4.2, 6.0)
    _slab(painter, x - 0.14, x + 0.14, 0.0, tall, z, (45, 62, 80))
    _foliage(painter, x, tall, z, painter.rng.uniform(1.4, 2.0))


def _sapling(painter: Painter, x: float, z: float) -> None:
    tall = painter.rng.uniform(3.0, 3.8)
    _slab(painter, x - 0.09, x + 0.09, 0.0, tall, z, (50, 68, 85))
    _foliage(painter, x, tall + 0.6, z, painter.rng.uniform(0.8, 1.1))


def _lamp(painter: Painter, x: float, z: float) -> None:
    _slab(painter, x - 0.08, x + 0.08, 0.0, 5.6, z, (70, 72, 72))
    _slab(painter, x - 0.14, x + 0.14, 0.0, 0.9, z, (60, 62, 62))
    _slab(painter, x, x + 1.1, 5.5, 5.62, z, (70, 72, 72))
    head = np.array([(x + 0.6, 5.36, z), (x + 1.3, 5.36, z), (x + 1.3, 5.5, z), (x + 0.6, 5.5, z)], float)
    painter.polygon(head, (150, 220, 255) if painter.weather.dusk else (120, 122, 125), lit=painter.weather.dusk)
    if painter.weather.dusk:
        pixels, depth = painter.view.project(np.array([(x + 0.95, 5.4, z)], float))
        size = max(int(1.2 * painter.view.focal_px / float(depth[0]) * FINE), 4)
        centre = (int(pixels[0, 0] * FINE), int(pixels[0, 1] * FINE))
        _halo(painter, centre, size)


def _halo(painter: Painter, centre: tuple[int, int], size: int) -> None:
    height, width = painter.mask.shape
    reach = 2 * size + 2
    box = Box(centre[0] - reach, centre[1] - reach, centre[0] + reach, centre[1] + reach).within(width, height)
    if box.empty:
        return
    spot = np.s_[box.y1 : box.y2, box.x1 : box.x2]
    halo = np.zeros_like(painter.image[spot])
    cv2.circle(halo, (centre[0] - box.x1, centre[1] - box.y1), size // 2, (60, 95, 115), -1)
    halo = np.asarray(cv2.GaussianBlur(halo, (0, 0), size / 3), np.uint8)
    painter.image[spot] = cv2.add(painter.image[spot], halo)
    # The halo only adds light: a mask of 2 survives the reduction, which keeps it inside the cut, and hides nothing.
    painter.mask[spot] = np.maximum(painter.mask[spot], 2 * (halo[:, :, 0] > 0).astype(np.uint8))


def _hedge(painter: Painter, x: float, z: float) -> None:
    rng = painter.rng
    tall = rng.uniform(0.95, 1.3)
    _slab(painter, x, x + 2.6, 0.0, tall * 0.85, z, (40, 75, 55))
    for _ in range(34):
        tone = shade(LEAVES[rng.integers(3)], rng.uniform(0.7, 1.1))
        _blob(painter, x + rng.uniform(0.05, 2.55), rng.uniform(0.15, tall), z, rng.uniform(0.1, 0.2), tone)


def _railing(painter: Painter, x: float, z: float) -> None:
    for y in (0.45, 0.95):
        _slab(painter, x, x + 3.0, y, y + 0.1, z, (120, 122, 124))
    for post in np.arange(x, x + 3.0, 0.5):
        _slab(painter, float(post), float(post) + 0.07, 0.0, 1.05, z, (105, 107, 110))
