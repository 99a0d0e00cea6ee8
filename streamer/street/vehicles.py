"""Cars, buses and trucks, each a little different."""

from __future__ import annotations

import numpy as np

from streamer.street.brush import Colour, shade
from streamer.street.projection import Points
from streamer.street.solids import GLASS, Body, Solid

WHITE_LAMP: Colour = (205, 235, 250)
RED_LAMP: Colour = (40, 30, 190)


def _lamps(x: float, y: float, width: float) -> Points:
    return np.array([(x, y, -width / 2 + 0.25), (x, y, width / 2 - 0.25)], float)


def _ends(body: Body, rear: float, front: float, low: float, high: float) -> None:
    """Lamps and number plates on both ends."""
    half = body.width / 2
    for sign in (-1.0, 1.0):
        z = sign * (half - 0.3)
        body.end_panel(front, low, high, z - 0.24, z + 0.24, WHITE_LAMP, True)
        body.end_panel(rear, low, high, z - 0.22, z + 0.22, RED_LAMP, False)
    body.end_panel(front, low - 0.28, low - 0.12, -0.26, 0.26, (225, 225, 225), True)
    body.end_panel(rear, low - 0.28, low - 0.12, -0.26, 0.26, (90, 200, 225), False)


CAR_PAINTS: tuple[Colour, ...] = (
    (205, 205, 205), (60, 58, 56), (130, 128, 125), (40, 40, 165), (150, 80, 35), (70, 110, 50),
    (235, 236, 238), (90, 130, 175), (35, 90, 190), (120, 100, 60), (60, 40, 90),
)  # fmt: skip
BUS_PAINTS: tuple[Colour, ...] = ((35, 45, 190), (30, 170, 225), (170, 95, 30), (70, 140, 60), (150, 60, 120))
CARGO_PAINTS: tuple[Colour, ...] = (
    (232, 232, 232), (200, 205, 210), (60, 95, 150), (140, 120, 90), (80, 130, 100), (45, 60, 170),
)  # fmt: skip


def car(rng: np.random.Generator) -> Solid:
    """A saloon, a hatchback or a tall estate car."""
    length, width = rng.uniform(4.0, 4.9), rng.uniform(1.75, 1.9)
    half, paint = length / 2, CAR_PAINTS[rng.integers(len(CAR_PAINTS))]
    top = rng.uniform(1.42, 1.5)
    shape = rng.integers(3)
    if shape == 0:
        cabin = [(half - 1.45, 0.92), (half - 2.2, top), (-half + 1.45, top), (-half + 0.75, 0.96)]
        body = [(-half, 0.28), (half, 0.28), (half, 0.72), *cabin, (-half, 0.9)]
    elif shape == 1:
        cabin = [(half - 1.2, 0.95), (half - 1.95, top + 0.06), (-half + 0.5, top), (-half + 0.06, 0.98)]
        body = [(-half, 0.28), (half, 0.28), (half, 0.74), *cabin, (-half, 0.9)]
    else:
        top += 0.25
        cabin = [(half - 1.15, 1.06), (half - 1.75, top), (-half + 0.35, top), (-half + 0.06, 1.06)]
        body = [(-half, 0.34), (half, 0.34), (half, 0.86), *cabin, (-half, 1.0)]
    made = Body(width)
    made.extrude(body, paint, glazed=(3, 5))
    (xf, yf), (xt, yt), (xu, yu), (xr, yr) = cabin
    middle = (xt + xu) / 2 + 0.05
    made.panel(
        [
            (xf - 0.2, yf + 0.03),
            (middle + 0.05, yf + 0.03),
            (middle + 0.05, yt - 0.09),
            (xt - 0.02, yt - 0.09),
        ],
        GLASS,
    )
    made.panel(
        [
            (middle - 0.05, yr + 0.03),
            (xr + 0.22, yr + 0.03),
            (xu + 0.08, yu - 0.09),
            (middle - 0.05, yu - 0.09),
        ],
        GLASS,
    )
    dark = shade(paint, 0.62)
    made.strip(-half + 0.1, 0.28, half - 0.1, 0.40, dark)
    made.strip(middle - 0.015, 0.42, middle + 0.015, yf, dark)
    made.strip(half - 0.3, 0.62, half, 0.74, WHITE_LAMP)
    made.strip(-half, 0.72, -half + 0.22, 0.88, RED_LAMP)
    for x in (half - 0.85, -half + 0.85):
        made.wheel(x, 0.34)
    _ends(made, -half, half, 0.56, 0.72)
    return Solid(length, width, (made.block,), _lamps(half, 0.66, width), _lamps(-half, 0.8, width))


def bus(rng: np.random.Generator) -> Solid:
    """A town bus: long, with a row of windows, doors and a lit destination sign."""
    length, width, top = rng.uniform(9.5, 11.5), 2.5, rng.uniform(2.95, 3.2)
    half, paint = length / 2, BUS_PAINTS[rng.integers(len(BUS_PAINTS))]
    made = Body(width)
    made.extrude([(-half, 0.35), (half, 0.35), (half, 1.1), (half - 0.12, top), (-half, top)], paint)
    made.end_panel(half - 0.04, 1.15, top - 0.5, -width / 2 + 0.12, width / 2 - 0.12, GLASS, True)
    made.end_panel(half - 0.1, top - 0.42, top - 0.14, -0.8, 0.8, (40, 170, 250), True, lit=True)
    made.end_panel(-half, 1.5, top - 0.35, -width / 2 + 0.2, width / 2 - 0.2, GLASS, False)
    _ends(made, -half, half, 0.75, 0.95)
    if rng.random() < 0.6:
        made.strip(-half, 0.35, half, 0.85, (225, 225, 225))
    panes = 7
    pane = (length - 0.5) / panes
    doors = (0, 3)
    for number in range(panes):
        x = half - 0.25 - number * pane
        if number in doors:
            made.strip(x - pane + 0.15, 0.45, x - 0.12, top - 0.4, (50, 45, 40))
            made.strip(x - pane / 2 - 0.05, 0.45, x - pane / 2 + 0.03, top - 0.4, (150, 150, 150))
        else:
            made.strip(x - pane + 0.06, 1.35, x - 0.06, top - 0.45, GLASS)
    made.strip(-half, top - 0.16, half - 0.12, top, (235, 235, 235))
    for x in (half - 2.3, -half + 2.6):
        made.wheel(x, 0.48)
    return Solid(length, width, (made.block,), _lamps(half, 0.85, width), _lamps(-half, 0.9, width))


def truck(rng: np.random.Generator) -> Solid:
    """A truck: a cab in front of a closed box, or of an open bed with a load."""
    length, width, cab_top = rng.uniform(6.2, 8.2), 2.35, rng.uniform(2.3, 2.6)
    half = length / 2
    paint = CAR_PAINTS[rng.integers(3, len(CAR_PAINTS))]
    cargo_paint = CARGO_PAINTS[rng.integers(len(CARGO_PAINTS))]
    back = half - 1.9
    rear = Body(width)
    rear.strip(-half, 0.55, half - 0.4, 0.85, (48, 46, 46))
    if rng.random() < 0.65:
        top = cab_top + rng.uniform(0.45, 0.85)
        rear.extrude([(-half, 0.85), (back - 0.15, 0.85), (back - 0.15, top), (-half, top)], cargo_paint)
        stripe = shade(cargo_paint, 0.7)
        for x in np.arange(-half + 0.9, back - 0.4, 0.9):
            rear.strip(float(x), 0.9, float(x) + 0.06, top - 0.06, stripe)
        if rng.random() < 0.5:
            rear.strip(-half + 1.0, 1.6, back - 1.1, 2.2, CAR_PAINTS[rng.integers(3, len(CAR_PAINTS))])
        rear.end_panel(-half, 0.9, top - 0.05, -0.04, 0.04, (60, 60, 60), False)
    else:
        heap = rng.uniform(1.9, 2.3)
        load = ((45, 75, 105), (70, 70, 72), (50, 100, 140))[rng.integers(3)]
        rear.extrude([(-half + 0.3, 1.5), (back - 0.3, 1.5), (back - 1.2, heap), (-half + 1.3, heap)], load)
        rear.extrude([(-half, 0.85), (back - 0.15, 0.85), (back - 0.15, 1.65), (-half, 1.65)], cargo_paint)
        for x in np.linspace(-half + 0.2, back - 0.5, 5):
            rear.strip(float(x), 0.9, float(x) + 0.12, 1.65, (50, 50, 50))
    rear.wheel(-half + 1.2, 0.5)
    rear.wheel(-half + 2.3, 0.5)
    for sign in (-1.0, 1.0):
        rear.end_panel(-half, 0.6, 0.8, sign * 0.85 - 0.2, sign * 0.85 + 0.2, RED_LAMP, False)
    cab = Body(width - 0.1)
    nose = half - 0.12
    cab.extrude([(back, 0.45), (half, 0.45), (half, 1.3), (nose - 0.15, cab_top), (back, cab_top)], paint)
    cab.end_panel(half - 0.06, 1.35, cab_top - 0.25, -1.0, 1.0, GLASS, True)
    cab.end_panel(half, 0.75, 1.05, -0.6, 0.6, (45, 45, 45), True)
    for sign in (-1.0, 1.0):
        cab.end_panel(half, 0.6, 0.8, sign * 0.85 - 0.22, sign * 0.85 + 0.22, WHITE_LAMP, True)
    cab.panel(
        [(back + 0.5, 1.35), (half - 0.25, 1.35), (half - 0.4, cab_top - 0.25), (back + 0.5, cab_top - 0.25)],
        GLASS,
    )
    cab.strip(back + 0.4, 0.5, back + 0.44, cab_top - 0.2, (40, 40, 40))
    cab.wheel(half - 1.05, 0.5)
    return Solid(length, width, (rear.block, cab.block), _lamps(half, 0.7, width), _lamps(-half, 0.7, width))
