"""Solids: side profiles extruded across their width, painted face by face without a depth buffer.

Local coordinates are metres: x forward from the middle, y up from the ground, z across (the near side is negative).
The camera always stands on the near side, so the near side hides the rest, and only the order along x matters.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from streamer.street.brush import Colour, Sketch, shade
from streamer.street.projection import Points, View
from streamer.street.weather import Weather

GLASS: Colour = (74, 62, 50)
TYRE: Colour = (30, 28, 28)

Profile = list[tuple[float, float]]


@dataclass(frozen=True)
class Face:
    """A polygon of a solid, in local metres (n, 3); ``one_sided`` shows its outside alone, a ``lit`` one shines."""

    points: Points
    colour: Colour
    one_sided: bool = False
    lit: bool = False


@dataclass(frozen=True)
class Solid:
    """A vehicle: blocks of faces from rear to front, each with its quads from rear to front, then its near side."""

    length_m: float
    width_m: float
    blocks: tuple[tuple[tuple[Face, ...], tuple[Face, ...]], ...]
    headlamps: Points
    tail_lamps: Points

    @cached_property
    def rear_first(self) -> Order:
        """The painting order for a camera that sees the front."""
        return Order.of([face for quads, side in self.blocks for face in (*quads, *side)])

    @cached_property
    def front_first(self) -> Order:
        """The painting order for a camera that sees the rear."""
        return Order.of([face for quads, side in self.blocks[::-1] for face in (*quads[::-1], *side)])


@dataclass(frozen=True)
class Order:
    """Faces in painting order as arrays: all corners (n, 3), each face's start and stop among them, and its look."""

    corners: Points
    starts: NDArray[np.int64]
    spans: list[tuple[int, int]]
    colours: NDArray[np.float64]
    lit: NDArray[np.bool_]
    one_sided: NDArray[np.bool_]

    @classmethod
    def of(cls, faces: list[Face]) -> Order:
        """The faces in the order given."""
        ends = np.cumsum([len(face.points) for face in faces])
        starts = ends - [len(face.points) for face in faces]
        return cls(
            np.concatenate([face.points for face in faces]),
            starts,
            list(zip(starts.tolist(), ends.tolist(), strict=True)),
            np.array([face.colour for face in faces]),
            np.array([face.lit for face in faces]),
            np.array([face.one_sided for face in faces]),
        )


@dataclass
class Body:
    """A block under construction."""

    width: float
    quads: list[Face] = field(default_factory=list)
    side: list[Face] = field(default_factory=list)

    def extrude(self, profile: Profile, colour: Colour, glazed: tuple[int, ...] = ()) -> None:
        """Extrudes a profile (anticlockwise from its lower rear corner); the edges in ``glazed`` become glass."""
        edges = list(zip(profile, profile[1:] + profile[:1], strict=True))
        for number, ((xa, ya), (xb, yb)) in enumerate(edges):
            slope = np.hypot(xb - xa, yb - ya)
            up = (xa - xb) / slope
            light = 0.78 + 0.42 * max(up, 0.0) if up > -0.5 else 0.3
            tone = shade(GLASS if number in glazed else colour, float(light))
            self.quads.append(Face(self._across(xa, ya, xb, yb), tone, one_sided=True))
        self.quads.sort(key=lambda face: float(face.points[:, 0].mean()))
        self.panel(profile, colour)

    def _across(self, xa: float, ya: float, xb: float, yb: float) -> Points:
        near, far = -self.width / 2, self.width / 2
        return np.array([(xa, ya, near), (xb, yb, near), (xb, yb, far), (xa, ya, far)], float)

    def panel(self, outline: Profile, colour: Colour, lit: bool = False) -> None:
        """Adds a polygon to the near side."""
        points = np.array([(x, y, -self.width / 2) for x, y in outline], float)
        self.side.append(Face(points, colour, lit=lit))

    def strip(self, x1: float, y1: float, x2: float, y2: float, colour: Colour, lit: bool = False) -> None:
        """Adds a rectangle to the near side."""
        self.panel([(x1, y1), (x2, y1), (x2, y2), (x1, y2)], colour, lit)

    def wheel(self, x: float, radius: float) -> None:
        """Adds a wheel to the near side: tyre, rim and a dark hub."""
        for size, colour in ((1.0, TYRE), (0.62, (170, 168, 166)), (0.22, (60, 60, 60))):
            turn = np.linspace(0, 2 * np.pi, 12 if size == 1.0 else 8, endpoint=False)
            self.panel(
                list(zip(x + size * radius * np.cos(turn), radius + size * radius * np.sin(turn), strict=True)),
                colour,
            )

    def end_panel(
        self,
        x: float,
        y1: float,
        y2: float,
        z1: float,
        z2: float,
        colour: Colour,
        front: bool,
        lit: bool = False,
    ) -> None:
        """Adds a rectangle to the front or rear end, from z1 to z2 across."""
        if front:
            self.quads.append(Face(np.array([(x, y1, z1), (x, y2, z1), (x, y2, z2), (x, y1, z2)]), colour, True, lit))
        else:
            # Before the end itself: for a camera that sees the rear the order of the quads is reversed.
            self.quads.insert(
                0, Face(np.array([(x, y2, z1), (x, y1, z1), (x, y1, z2), (x, y2, z2)]), colour, True, lit)
            )

    @property
    def block(self) -> tuple[tuple[Face, ...], tuple[Face, ...]]:
        return tuple(self.quads), tuple(self.side)


def sketch(
    solid: Solid, at: Points, heading: int, view: View, weather: Weather
) -> tuple[Sketch, NDArray[np.float64]]:
    """The solid in pixels, standing at ``at`` (x, 0, z), heading to +x (1) or -x (-1), and the depths (n,)."""
    order = solid.rear_first if heading * at[0] < 0 else solid.front_first
    pixels, depth = view.project(order.corners * (heading, 1, 1) + at)
    colours = weather.tint(order.colours, order.lit & weather.dusk, float(depth.mean())).tolist()
    shown = (~order.one_sided | (heading * _turns(pixels, order.starts) > 0)).tolist()
    spans = [span for span, is_shown in zip(order.spans, shown, strict=True) if is_shown]
    return Sketch(
        pixels, spans, [(b, g, r) for (b, g, r), is_shown in zip(colours, shown, strict=True) if is_shown]
    ), depth


def _turns(pixels: Points, starts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Twice the signed areas of the faces' first triangles: positive when seen from outside at a heading of +1."""
    first = pixels[starts]
    (xb, yb), (xc, yc) = (pixels[starts + 1] - first).T, (pixels[starts + 2] - first).T
    return np.asarray(xb * yc - yb * xc)
