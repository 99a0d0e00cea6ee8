"""People, dogs and bicycles: flat figures that face the camera, in metres (x in their direction, y up)."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi, sin
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from streamer.street.brush import Colour, Sketch, shade
from streamer.street.projection import Points, View
from streamer.street.weather import Weather

Outline = list[tuple[float, float]]


STRIDE_M, PEDAL_M, WHEEL_M = 1.45, 4.0, 2.1
"""Metres travelled in two steps, in one turn of the pedals, and in one turn of a wheel."""


@dataclass(frozen=True)
class Limb:
    """A filled outline of a figure."""

    outline: Outline
    colour: Colour


SKINS: tuple[Colour, ...] = ((150, 180, 225), (120, 155, 205), (85, 120, 170), (55, 80, 120))
HAIRS: tuple[Colour, ...] = ((25, 25, 30), (30, 50, 80), (60, 110, 160), (120, 125, 130))
SHIRTS: tuple[Colour, ...] = (
    (40, 40, 180), (170, 90, 30), (60, 130, 50), (40, 160, 220), (210, 210, 210), (50, 45, 45),
    (150, 60, 130), (140, 140, 60), (80, 120, 200),
)  # fmt: skip
TROUSERS: tuple[Colour, ...] = ((110, 70, 40), (45, 42, 40), (80, 105, 130), (95, 95, 95), (60, 60, 90))
COATS: tuple[Colour, ...] = ((40, 60, 100), (70, 110, 160), (35, 35, 38), (215, 220, 225), (110, 130, 150))
FRAMES: tuple[Colour, ...] = ((40, 40, 40), (40, 40, 190), (170, 80, 30), (60, 130, 60), (190, 190, 190))


@dataclass(frozen=True)
class PersonLook:
    """A person's build and clothes."""

    height_m: float
    breadth: float
    skin: Colour
    hair: Colour
    shirt: Colour
    trousers: Colour
    skirt: bool
    bag: bool
    riding: bool

    @classmethod
    def draw(cls, rng: np.random.Generator, riding: bool = False) -> PersonLook:
        """Somebody at random."""
        return cls(
            rng.uniform(1.55, 1.95), rng.uniform(0.9, 1.25), SKINS[rng.integers(len(SKINS))],
            HAIRS[rng.integers(len(HAIRS))], SHIRTS[rng.integers(len(SHIRTS))],
            TROUSERS[rng.integers(len(TROUSERS))], bool(rng.random() < 0.25), bool(rng.random() < 0.3), riding,
        )  # fmt: skip


@dataclass(frozen=True)
class BicycleLook:
    """The colour of a bicycle's frame."""

    frame: Colour


@dataclass(frozen=True)
class DogLook:
    """A dog's coat and size (1: 0.65 m at the shoulder)."""

    coat: Colour
    size: float


Figure: TypeAlias = PersonLook | BicycleLook | DogLook


def sketch(
    look: Figure, at: Points, heading: int, travelled_m: float, moving: bool, view: View, weather: Weather
) -> tuple[Sketch, NDArray[np.float64]]:
    """The figure in pixels, standing at ``at`` (x, 0, z), and its depth (1,), in metres; ``heading`` is 1 or -1."""
    limbs = pose(look, travelled_m, moving)
    pixel, depth = view.project(at[None])
    scale = view.focal_px / float(depth[0])
    corners = np.array([corner for limb in limbs for corner in limb.outline]) * (heading * scale, -scale) + pixel
    spans, start = [], 0
    for limb in limbs:
        spans.append((start, start + len(limb.outline)))
        start += len(limb.outline)
    lit = np.zeros(len(limbs), np.bool_)
    colours = weather.tint(np.array([limb.colour for limb in limbs]), lit, float(depth[0])).tolist()
    return Sketch(corners, spans, [(b, g, r) for b, g, r in colours]), depth


def pose(look: Figure, travelled_m: float, moving: bool) -> list[Limb]:
    """The outlines of a figure that has gone so far: legs and wheels turn with the distance, not with the time."""
    if isinstance(look, DogLook):
        return dog(look, travelled_m / 0.9, moving)
    if isinstance(look, BicycleLook):
        return bicycle(look.frame, travelled_m / WHEEL_M)
    return rider(look, travelled_m / PEDAL_M) if look.riding else person(look, travelled_m / STRIDE_M, moving)


def _limb(a: tuple[float, float], b: tuple[float, float], wide: float, narrow: float, colour: Colour) -> Limb:
    """A tapering limb between two joints."""
    (xa, ya), (xb, yb) = a, b
    length = max(float(np.hypot(xb - xa, yb - ya)), 1e-6)
    nx, ny = -(yb - ya) / length, (xb - xa) / length
    w, n = wide / 2, narrow / 2
    return Limb(
        [
            (xa + nx * w, ya + ny * w),
            (xb + nx * n, yb + ny * n),
            (xb - nx * n, yb - ny * n),
            (xa - nx * w, ya - ny * w),
        ],
        colour,
    )


def _disc(x: float, y: float, rx: float, ry: float, colour: Colour, corners: int = 10) -> Limb:
    turn = [2 * pi * k / corners for k in range(corners)]
    return Limb([(x + rx * cos(a), y + ry * sin(a)) for a in turn], colour)


def _leg(
    hip: tuple[float, float], swing: float, bend: float, scale: float, thick: float, colour: Colour
) -> list[Limb]:
    knee = (hip[0] + 0.44 * scale * sin(swing), hip[1] - 0.44 * scale * cos(swing))
    foot = (knee[0] + 0.42 * scale * sin(swing - bend), max(knee[1] - 0.42 * scale * cos(swing - bend), 0.03))
    shoe = (foot[0] + 0.16 * scale, foot[1])
    return [
        _limb(hip, knee, 0.19 * thick, 0.14 * thick, colour),
        _limb(knee, foot, 0.14 * thick, 0.10 * thick, colour),
        _limb((foot[0] - 0.06, foot[1] + 0.02), shoe, 0.1, 0.07, (35, 32, 32)),
    ]


def _arm(shoulder: tuple[float, float], swing: float, bend: float, scale: float, look: PersonLook) -> list[Limb]:
    elbow = (shoulder[0] + 0.29 * scale * sin(swing), shoulder[1] - 0.29 * scale * cos(swing))
    hand = (elbow[0] + 0.27 * scale * sin(swing + bend), elbow[1] - 0.27 * scale * cos(swing + bend))
    return [
        _limb(shoulder, elbow, 0.13, 0.11, shade(look.shirt, 0.85)),
        _limb(elbow, hand, 0.10, 0.08, look.skin),
    ]


def _head(x: float, y: float, scale: float, look: PersonLook) -> list[Limb]:
    crown = [(-0.12, -0.05), (-0.12, 0.08), (-0.04, 0.15), (0.07, 0.13), (0.1, 0.06), (-0.04, 0.05)]
    return [
        _limb((x, y - 0.2 * scale), (x, y - 0.08 * scale), 0.11, 0.10, shade(look.skin, 0.85)),
        _disc(x, y, 0.105 * scale, 0.13 * scale, look.skin),
        Limb([(x + dx * scale, y + dy * scale) for dx, dy in crown], look.hair),
    ]


def person(look: PersonLook, phase: float, walking: bool) -> list[Limb]:
    """Someone walking (``phase``: steps made, in turns of both legs) or standing."""
    scale = look.height_m / 1.75
    stride = 0.5 * sin(2 * pi * phase) if walking else 0.06
    hip, neck = (0.0, 0.9 * scale), (0.02, 1.46 * scale)
    back_bend, front_bend = 0.15 + 0.35 * max(-stride, 0.0), 0.15 + 0.35 * max(stride, 0.0)
    broad = 0.36 * look.breadth
    limbs = _arm(neck, -stride * 0.9, 0.3, scale, look)
    limbs += _leg(hip, -stride, back_bend, scale, look.breadth, shade(look.trousers, 0.8))
    limbs += _leg(hip, stride, front_bend, scale, look.breadth, look.trousers)
    if look.skirt:
        limbs.append(
            Limb(
                [(-0.15, 0.98 * scale), (0.15, 0.98 * scale), (0.26, 0.55 * scale), (-0.26, 0.55 * scale)],
                look.trousers,
            )
        )
    if look.bag:
        limbs.append(
            Limb(
                [
                    (-broad * 0.3, 1.42 * scale),
                    (-broad * 0.95, 1.38 * scale),
                    (-broad * 0.95, 1.0 * scale),
                    (-broad * 0.3, 0.98 * scale),
                ],
                (60, 50, 70),
            )
        )
    limbs.append(
        Limb(
            [(-broad / 2, 1.38 * scale), (-0.08, 1.5 * scale), (0.1, 1.5 * scale), (broad / 2, 1.38 * scale),
             (broad * 0.45, 0.88 * scale), (-broad * 0.45, 0.88 * scale)],
            look.shirt,
        )
    )  # fmt: skip
    limbs += _arm(neck, stride * 0.9, 0.3, scale, look)
    return limbs + _head(0.05, 1.62 * scale, scale, look)


def rider(look: PersonLook, phase: float) -> list[Limb]:
    """Someone on a bicycle, pedalling."""
    hip, neck, hands = (-0.22, 0.98), (0.14, 1.46), (0.42, 1.02)
    limbs: list[Limb] = []
    for turn, colour in ((phase + 0.5, shade(look.trousers, 0.8)), (phase, look.trousers)):
        foot = (0.02 + 0.15 * cos(-2 * pi * turn), 0.32 + 0.15 * sin(-2 * pi * turn))
        knee = ((hip[0] + foot[0]) / 2 + 0.26, (hip[1] + foot[1]) / 2 + 0.12)
        limbs += [
            _limb(hip, knee, 0.19, 0.13, colour),
            _limb(knee, foot, 0.13, 0.09, colour),
            _limb((foot[0] - 0.08, foot[1]), (foot[0] + 0.14, foot[1]), 0.08, 0.06, (35, 32, 32)),
        ]
    limbs.append(_limb(hip, neck, 0.32 * look.breadth, 0.36 * look.breadth, look.shirt))
    limbs.append(_limb(neck, hands, 0.13, 0.08, shade(look.shirt, 0.85)))
    return limbs + _head(0.24, 1.66, 1.0, look)


def bicycle(frame: Colour, phase: float) -> list[Limb]:
    """A bicycle: two spoked wheels, a diamond frame, saddle and handlebar."""
    limbs: list[Limb] = []
    rear, front, crank, seat, head = (-0.52, 0.34), (0.54, 0.34), (0.0, 0.32), (-0.2, 0.86), (0.4, 0.84)
    for x, y in (rear, front):
        ring = [(2 * pi * k / 16, 0.34) for k in range(17)] + [(2 * pi * k / 16, 0.28) for k in range(16, -1, -1)]
        limbs.append(Limb([(x + r * cos(a), y + r * sin(a)) for a, r in ring], (34, 32, 32)))
        for spoke in range(3):
            angle = -2 * pi * phase + spoke * pi / 3
            dx, dy = 0.29 * cos(angle), 0.29 * sin(angle)
            limbs.append(_limb((x - dx, y - dy), (x + dx, y + dy), 0.02, 0.02, (150, 150, 150)))
    for a, b in ((rear, crank), (rear, seat), (crank, seat), (crank, head), (seat, head), (head, front)):
        limbs.append(_limb(a, b, 0.065, 0.065, frame))
    limbs.append(_limb((-0.34, 0.92), (-0.08, 0.92), 0.09, 0.06, (30, 30, 30)))
    limbs.append(_limb((0.38, 0.84), (0.42, 1.02), 0.05, 0.05, (60, 60, 60)))
    limbs.append(_limb((0.34, 1.02), (0.54, 1.0), 0.06, 0.05, (30, 30, 30)))
    return limbs


def dog(look: DogLook, phase: float, walking: bool) -> list[Limb]:
    """A dog trotting or standing."""
    coat, size = look.coat, look.size
    dark = shade(coat, 0.72)
    swing = 0.45 * sin(2 * pi * phase) if walking else 0.1
    limbs: list[Limb] = []
    for x, sign, colour in ((-0.3, 1, dark), (0.28, -1, dark), (-0.36, -1, coat), (0.34, 1, coat)):
        foot = (x + 0.36 * sin(sign * swing), 0.03)
        limbs.append(_limb((x, 0.42), foot, 0.14, 0.08, colour))
    wag = 0.12 * sin(2 * pi * phase * 2)
    limbs.append(_limb((-0.42, 0.6), (-0.72, 0.82 + wag), 0.09, 0.05, coat))
    limbs.append(
        Limb(
            [
                (-0.48, 0.6),
                (-0.4, 0.66),
                (0.3, 0.68),
                (0.46, 0.62),
                (0.44, 0.42),
                (0.2, 0.36),
                (-0.25, 0.4),
                (-0.46, 0.44),
            ],
            coat,
        )
    )
    limbs.append(_limb((0.36, 0.56), (0.56, 0.8), 0.24, 0.17, coat))
    limbs.append(Limb([(0.46, 0.74), (0.48, 0.94), (0.64, 0.95), (0.86, 0.84), (0.86, 0.76), (0.62, 0.72)], coat))
    limbs.append(Limb([(0.48, 0.95), (0.42, 0.72), (0.54, 0.78)], dark))
    limbs.append(_disc(0.86, 0.81, 0.035, 0.035, (20, 20, 20), 6))
    return [Limb([(x * size, y * size) for x, y in limb.outline], limb.colour) for limb in limbs]
