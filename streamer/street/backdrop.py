"""The still parts of the street: sky, houses and ground, and the painter of the props in front of the actors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamer.street.brush import Box, Colour, Image, shade
from streamer.street.projection import Points, View
from streamer.street.traffic import Layout
from streamer.street.weather import Weather
from streamer.vendors.opencv import cv2

FINE = 2
"""The backdrop is painted this many times larger and then reduced, once: smooth edges cost nothing per frame."""

WALLS: tuple[Colour, ...] = (
    (95, 115, 165), (150, 175, 195), (120, 140, 150), (170, 185, 190), (80, 90, 120),
    (140, 160, 185), (165, 165, 160), (110, 135, 175),
)  # fmt: skip
AWNINGS: tuple[Colour, ...] = ((50, 50, 160), (70, 110, 50), (140, 80, 40), (40, 130, 190), (90, 90, 90))


@dataclass(frozen=True)
class Prop:
    """A thing in front of the actors beyond ``z`` metres.

    Inside ``box`` it adds ``premultiplied`` (h, w, 3) and keeps the share ``keep`` (h, w, 3), 0 to 255, of them.
    """

    z: float
    box: Box
    premultiplied: Image
    keep: Image


class Painter:
    """Paints polygons, given in world metres, on an enlarged image in the light of the weather."""

    def __init__(self, view: View, weather: Weather, layout: Layout, seed: int) -> None:
        self.view, self.weather, self.layout = view, weather, layout
        self.rng = np.random.default_rng([seed, 4])
        self.image: Image = np.zeros((view.height * FINE, view.width * FINE, 3), np.uint8)
        self.mask: Image = np.zeros((view.height * FINE, view.width * FINE), np.uint8)

    def colour(self, colour: Colour, depth_m: float, lit: bool = False, faded: bool = False) -> Colour:
        """A colour in this light; ``faded`` also by ``depth_m`` of air (the backdrop's is added pixel by pixel)."""
        seen = np.array(colour, float) if lit else np.array(colour) * self.weather.ambient
        if faded:
            seen = seen + (self.weather.air - seen) * self.weather.fade(depth_m)
        b, g, r = np.clip(seen, 0, 255)
        return float(b), float(g), float(r)

    def polygon(self, points: Points, colour: Colour, lit: bool = False, faded: bool = False) -> None:
        """Paints a filled polygon of world points (n, 3)."""
        pixels, depth = self.view.project(points)
        corners = np.rint(np.clip(pixels, -6000, 6000) * FINE * 16).astype(np.int32)
        cv2.fillPoly(self.image, [corners], self.colour(colour, float(depth.mean()), lit, faded), cv2.LINE_8, 4)
        cv2.fillPoly(self.mask, [corners], 255, cv2.LINE_8, 4)

    def ground(self, near: float, far: float, colour: Colour, x: tuple[float, float] | None = None) -> None:
        """Paints a band of ground between two distances, over the whole view or over a stretch of x."""
        (a, b), (c, d) = (x, x) if x else (self.view.reach(near, 4.0), self.view.reach(far, 4.0))
        self.polygon(np.array([(a, 0, near), (b, 0, near), (d, 0, far), (c, 0, far)], float), colour)

    def wall(self, x1: float, y1: float, x2: float, y2: float, z: float, colour: Colour, lit: bool = False) -> None:
        """Paints an upright rectangle that faces the street."""
        self.polygon(np.array([(x1, y1, z), (x2, y1, z), (x2, y2, z), (x1, y2, z)], float), colour, lit)


def reduced(image: Image) -> Image:
    """An image at its final size."""
    size = (image.shape[1] // FINE, image.shape[0] // FINE)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def paint_backdrop(painter: Painter) -> Image:
    """Sky, houses and ground as BGR (h, w, 3)."""
    _sky(painter)
    _houses(painter)
    _street(painter)
    image = reduced(painter.image).astype(np.float32)
    image *= _grain(painter.rng, image.shape[0], image.shape[1])[:, :, None]
    lost = painter.weather.fade(_depth(painter.view, painter.layout.facade))[:, :, None]
    air = np.clip(image + (painter.weather.air - image) * lost, 0, 255)
    return np.asarray(np.rint(air), np.uint8)


def _sky(painter: Painter) -> None:
    height, width = painter.image.shape[:2]
    day = {"clear": (230, 170, 105), "haze": (205, 195, 180)}.get(painter.weather.kind, (200, 190, 180))
    top = np.array(day, float) * painter.weather.daylight + np.array((85.0, 50.0, 40.0)) * (
        1 - painter.weather.daylight
    )
    low = painter.weather.air + np.array((-15.0, 10.0, 45.0)) * (1 - painter.weather.daylight)
    share = np.clip(np.linspace(0, 2.2, height), 0, 1)[:, None, None]
    sky = top + (low - top) * share
    cloud = cv2.resize(painter.rng.random((6, 9)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    cloud = np.clip((cloud - 0.5) * 1.6, 0, 0.6)[:, :, None]
    painter.image[:] = np.clip(sky + (painter.weather.air * 1.05 - sky) * cloud, 0, 255).astype(np.uint8)


def _houses(painter: Painter) -> None:
    rng, z = painter.rng, painter.layout.facade
    low, high = painter.view.reach(z, 15.0)
    x = low
    while x < high:
        wide, floors = rng.uniform(9.0, 20.0), int(rng.integers(2, 8))
        if rng.random() < 0.9:
            _house(painter, x, x + wide, floors, z)
        else:
            painter.wall(x, 0.0, x + wide, 2.0, z, (60, 95, 70))
        x += wide


def _house(painter: Painter, x1: float, x2: float, floors: int, z: float) -> None:
    rng, storey = painter.rng, 3.3
    top = 0.8 + storey * floors
    wall = WALLS[rng.integers(len(WALLS))]
    dark = shade(wall, 0.72)
    painter.wall(x1, 0.0, x2, top, z, wall)
    painter.wall(x1, top - 0.5, x2, top, z, dark)
    painter.wall(x1, 3.35, x2, 3.6, z, dark)
    wide, high = rng.uniform(1.0, 1.5), rng.uniform(1.4, 1.9)
    count = max(int((x2 - x1) / rng.uniform(2.2, 3.2)), 2)
    step = (x2 - x1) / count
    for floor in range(1, floors):
        for number in range(count):
            x, y = x1 + (number + 0.5) * step - wide / 2, 0.6 + storey * floor + 0.7
            lit = painter.weather.dusk and rng.random() < 0.4
            pane = (95, 185, 235) if lit else (95, 80, 66)
            painter.wall(x - 0.1, y - 0.1, x + wide + 0.1, y + high + 0.1, z, (205, 210, 212))
            painter.wall(x, y, x + wide, y + high, z, pane, bool(lit))
            painter.wall(x + wide / 2 - 0.05, y, x + wide / 2 + 0.05, y + high, z, (205, 210, 212))
    _shops(painter, x1, x2, z)


def _shops(painter: Painter, x1: float, x2: float, z: float) -> None:
    rng = painter.rng
    x = x1 + 0.5
    while x + 2.5 < x2:
        wide = min(rng.uniform(2.5, 5.0), x2 - x - 0.4)
        lit = painter.weather.dusk and rng.random() < 0.7
        if rng.random() < 0.3:
            painter.wall(x, 0.0, x + 1.3, 2.3, z, (45, 60, 85))
            painter.wall(x + 0.2, 1.3, x + 1.1, 2.1, z, (90, 85, 75))
            x += 1.8
            continue
        painter.wall(x, 0.5, x + wide, 2.5, z, (120, 190, 230) if lit else (85, 75, 62), bool(lit))
        painter.wall(x + wide / 2 - 0.06, 0.5, x + wide / 2 + 0.06, 2.5, z, (70, 70, 70))
        if rng.random() < 0.6:
            awning = AWNINGS[rng.integers(len(AWNINGS))]
            slope = [(x, 2.9, z), (x + wide, 2.9, z), (x + wide, 2.4, z - 1.0), (x, 2.4, z - 1.0)]
            painter.polygon(np.array(slope), awning)
        x += wide + 0.5


def _street(painter: Painter) -> None:
    layout, weather, rng = painter.layout, painter.weather, painter.rng
    snowy, wet = weather.kind == "snow", weather.kind == "rain"
    paving: Colour = (222, 220, 217) if snowy else (138, 144, 148)
    road: Colour = (172, 168, 165) if snowy else (70, 68, 66) if wet else (92, 90, 88)
    white: Colour = (215, 215, 215)
    painter.ground(0.8, layout.kerb_near - 3.4, (232, 230, 228) if snowy else (62, 112, 88))
    painter.ground(layout.kerb_near - 3.4, layout.kerb_near, paving)
    painter.ground(layout.kerb_far, layout.facade, paving)
    for x in np.arange(*painter.view.reach(layout.facade), 1.6):
        painter.ground(layout.kerb_far, layout.facade, shade(paving, 0.93), (float(x), float(x) + 0.07))
    painter.ground(layout.kerb_near, layout.kerb_far, road)
    cycle_way: Colour = (road[0] * 0.85, road[1] * 0.95, road[2] * 1.3)
    painter.ground(layout.kerb_near, layout.lane_edges[0] - 0.1, cycle_way)
    for edge, thick in ((layout.kerb_near, 0.18), (layout.kerb_far, 0.2)):
        painter.ground(edge - thick, edge, (175, 178, 180))
    edges = layout.lane_edges
    for number, z in enumerate(edges):
        outer = number in (0, len(edges) - 1)
        if outer or number == (len(edges) // 2):
            painter.ground(z - 0.07, z + 0.07, white)
            continue
        low, high = painter.view.reach(z, 6.0)
        for x in np.arange(low // 6 * 6, high, 6.0):
            painter.ground(z - 0.07, z + 0.07, white, (float(x), float(x) + 3.0))
    for _ in range(int(rng.integers(2, 7))):
        z = rng.uniform(layout.kerb_near + 1, layout.kerb_far - 2)
        x = rng.uniform(*painter.view.reach(z))
        painter.ground(z, z + rng.uniform(0.5, 1.4), shade(road, 0.88), (x, x + rng.uniform(0.8, 4.0)))


def _grain(rng: np.random.Generator, height: int, width: int) -> NDArray[np.float32]:
    """Stains and grain of all sizes: a factor around 1."""
    total = np.ones((height, width), np.float32)
    for cells, strength in ((6, 0.05), (40, 0.035), (240, 0.03)):
        coarse = rng.normal(0.0, strength, (cells * height // width + 1, cells)).astype(np.float32)
        total += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    return total


def _depth(view: View, facade: float) -> NDArray[np.float64]:
    """Distance in metres (h, w) to the ground or to the houses; the sky counts as if the houses went on upwards."""
    column = (np.arange(view.width) + 0.5 - view.width / 2) / view.focal_px
    row = (view.height / 2 - np.arange(view.height) - 0.5) / view.focal_px
    right, up, forward = view.rotation
    ray = forward + column[None, :, None] * right + row[:, None, None] * up
    to_ground = np.where(ray[:, :, 1] < -1e-6, view.camera.height_m / np.maximum(-ray[:, :, 1], 1e-6), np.inf)
    to_houses = facade / np.maximum(ray[:, :, 2], 0.05)
    return np.asarray(np.minimum(to_ground, to_houses))
