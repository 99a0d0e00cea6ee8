"""The synthetic street: an endless, deterministic camera with exact ground truth.

``Street(seed).frame(index, rate)`` is a pure function: any frame, in any order, the same pixels each time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamer.street import pedestrians, solids
from streamer.street.backdrop import Painter, Prop, paint_backdrop
from streamer.street.brush import Box, Canvas, Image
from streamer.street.projection import Camera, View
from streamer.street.props import paint_props
from streamer.street.traffic import BICYCLE, BUS, CAR, DOG, PERSON, TRUCK, Actor, Layout, actors, lay_out
from streamer.street.weather import WEATHERS, Lens, Weather
from streamer.vendors.opencv import cv2

LABELS: dict[int, str] = {
    PERSON: "person", BICYCLE: "bicycle", CAR: "car", BUS: "bus", TRUCK: "truck", DOG: "dog",
}  # fmt: skip
"""The classes of the scene by COCO's index (of 80)."""

MIN_SIDE_PX = 12
"""An object counts when the larger side of its visible box has at least this many pixels, the smaller a quarter."""
MIN_VISIBLE = 0.3
"""An object counts when at least this share of its silhouette is seen, neither hidden nor beyond the image's edge."""


@dataclass(frozen=True, eq=False)
class Truth:
    """The objects in a frame.

    ``boxes`` (n, 4) are xyxy in pixels, around the visible part; ``class_id`` (n,) counts COCO's 80 from 0;
    ``visible`` (n,) is the share of the silhouette that is seen; ``object_id`` (n,) stays with an object.
    """

    boxes: NDArray[np.float64]
    class_id: NDArray[np.int64]
    visible: NDArray[np.float64]
    object_id: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.boxes)


def draw_conditions(rng: np.random.Generator) -> tuple[Camera, Weather]:
    """A camera and a weather from the ranges that the scene is made for."""
    camera = Camera(
        height_m=rng.uniform(5.4, 8.0),
        yaw_deg=rng.uniform(-36.0, 36.0),
        pitch_deg=rng.uniform(9.0, 14.0),
        fov_deg=rng.uniform(48.0, 62.0),
        setback_m=rng.uniform(8.5, 12.0),
    )
    daylight = rng.uniform(0.6, 1.0) if rng.random() < 0.7 else rng.uniform(0.0, 0.35)
    return camera, Weather(WEATHERS[rng.integers(len(WEATHERS))], rng.random(), daylight)


@dataclass(frozen=True)
class Street:
    """A street of ``width`` x ``height`` pixels; a camera or a weather that is not given follows from the seed."""

    seed: int = 7
    width: int = 640
    height: int = 480
    camera: Camera | None = None
    weather: Weather | None = None

    @cached_property
    def conditions(self) -> tuple[Camera, Weather]:
        """The effective camera and weather."""
        camera, weather = draw_conditions(np.random.default_rng([self.seed, 1]))
        return self.camera or camera, self.weather or weather

    @cached_property
    def view(self) -> View:
        return View(self.conditions[0], self.width, self.height)

    @cached_property
    def layout(self) -> Layout:
        return lay_out(self.seed, self.view)

    @cached_property
    def _still(self) -> tuple[Image, list[Prop]]:
        painter = Painter(self.view, self.conditions[1], self.layout, self.seed)
        return paint_backdrop(painter), paint_props(painter)

    @cached_property
    def _lens(self) -> Lens:
        return Lens(self.conditions[1], self.width, self.height, self.seed)

    def parameters(self) -> dict[str, Any]:
        """All parameters of this street as plain data: the same ones make the same street."""
        camera, weather = self.conditions
        return {
            "seed": self.seed, "width": self.width, "height": self.height,
            "camera": asdict(camera), "weather": asdict(weather),
        }  # fmt: skip

    def frame(self, index: int, rate: float = 30.0) -> tuple[Image, Truth]:
        """Frame ``index`` of a camera with ``rate`` frames a second, BGR uint8 (h, w, 3), and its ground truth."""
        canvas, painted = self._painted(index / rate)
        self._lens.finish(canvas.image, index / rate, (self.seed, index))
        return canvas.image, _truth(canvas, painted)

    def owners(self, index: int, rate: float = 30.0) -> NDArray[np.int64]:
        """The object id at each pixel of a frame (h, w), -1 where nobody is seen."""
        canvas, painted = self._painted(index / rate)
        return np.array([-1, *(actor.object_id for actor, _, _ in painted)], np.int64)[canvas.owner]

    def _painted(self, seconds: float) -> tuple[Canvas, list[tuple[Actor, Box, int]]]:
        """The street at an instant, and the painted actors (in slots from 1), each with its box and its area."""
        backdrop, props = self._still
        canvas = Canvas(backdrop)
        painted: list[tuple[Actor, Box, int]] = []
        waiting = list(props)
        for actor in actors(self.seed, self.layout, self.view, seconds):
            while waiting and waiting[0].z >= actor.z:
                prop = waiting.pop(0)
                canvas.overlay(prop.box, prop.premultiplied, prop.keep)
            box, area = self._paint(canvas, actor, len(painted) + 1)
            if area:
                painted.append((actor, box, area))
        for prop in waiting:
            canvas.overlay(prop.box, prop.premultiplied, prop.keep)
        return canvas, painted

    def _paint(self, canvas: Canvas, actor: Actor, slot: int) -> tuple[Box, int]:
        """Paints an actor with its shadow and lamps; returns its box and its area as `Canvas.paint`."""
        weather, member = self.conditions[1], actor.member
        at = np.array([actor.x, 0.0, actor.z])
        if isinstance(member.look, solids.Solid):
            half, wide = member.look.length_m / 2 + 0.1, member.look.width_m / 2 + 0.15
            corners = [(-half, 0, -wide), (half, 0, -wide), (half, 0, wide), (-half, 0, wide)]
            footprint = at + np.array(corners)
            sketch, depth = solids.sketch(member.look, at, member.heading, self.view, weather)
        else:
            turn = np.linspace(0, 2 * np.pi, 10, endpoint=False)
            footprint = at + np.stack([0.4 * np.cos(turn), 0 * turn, 0.22 * np.sin(turn)], axis=1)
            sketch, depth = pedestrians.sketch(
                member.look, at, member.heading, actor.travelled_m, actor.speed_m_s != 0, self.view, weather
            )
        canvas.darken(self.view.project(footprint)[0], 1 - weather.shadow)
        shutter = 1 / 100 if not weather.dusk else 1 / 50
        blur = abs(actor.speed_m_s) * shutter * self.view.focal_px / float(depth.mean())
        painted = canvas.paint(sketch, slot, round(blur))
        if weather.dusk and actor.speed_m_s and isinstance(member.look, solids.Solid):
            self._shine(canvas, member.look, at, member.heading)
        return painted

    def _shine(self, canvas: Canvas, solid: solids.Solid, at: NDArray[np.float64], heading: int) -> None:
        """Paints the lamps of a vehicle at dusk: those of an end only when that end is seen."""
        sees_front = heading * at[0] < 0
        for lamps, colour, reach, seen in (
            (solid.headlamps, (150.0, 205.0, 225.0), 0.55, sees_front),
            (solid.tail_lamps, (25.0, 20.0, 190.0), 0.3, not sees_front),
        ):
            pixels, depth = self.view.project(lamps * (heading, 1, 1) + at)
            for pixel, distance in zip(pixels[: 2 if seen else 0], depth, strict=False):
                canvas.glow(pixel, reach * self.view.focal_px / float(distance), colour)


def _truth(canvas: Canvas, painted: list[tuple[Actor, Box, int]]) -> Truth:
    """Measures each actor in the mask, and keeps those that count."""
    rows: list[tuple[tuple[float, float, float, float], int, float, int]] = []
    for slot, (actor, box, area) in enumerate(painted, start=1):
        mask = (canvas.owner[box.y1 : box.y2, box.x1 : box.x2] == slot).view(np.uint8)
        x, y, wide, high = cv2.boundingRect(mask)
        visible = min(cv2.countNonZero(mask) / area, 1.0)
        longer, shorter = max(wide, high), min(wide, high)
        if longer >= MIN_SIDE_PX and shorter * 4 >= MIN_SIDE_PX and visible >= MIN_VISIBLE:
            left, top = float(box.x1 + x), float(box.y1 + y)
            rows.append(((left, top, left + wide, top + high), actor.member.class_id, visible, actor.object_id))
    return Truth(
        np.array([row[0] for row in rows], float).reshape(-1, 4),
        np.array([row[1] for row in rows], np.int64),
        np.array([row[2] for row in rows], float),
        np.array([row[3] for row in rows], np.int64),
    )


def coco_truth(
    truths: Iterable[Truth], width: int, height: int, info: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The ground truth as a COCO detection dictionary, with image ids from 0 in the order given.

    ``category_id`` is the index among COCO's 80 classes (0 to 79), not COCO's own id, which has holes. The six
    classes of the scene are listed. Each annotation also has ``visible`` and ``object_id``. ``info`` takes
    `Street.parameters`.
    """
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for image_id, truth in enumerate(truths):
        images.append({"id": image_id, "width": width, "height": height, "file_name": f"{image_id:06d}"})
        for box, class_id, visible, object_id in zip(
            truth.boxes.tolist(),
            truth.class_id.tolist(),
            truth.visible.tolist(),
            truth.object_id.tolist(),
            strict=True,
        ):
            x1, y1, x2, y2 = box
            annotations.append(
                {
                    "id": len(annotations) + 1, "image_id": image_id, "category_id": class_id,
                    "bbox": [x1, y1, x2 - x1, y2 - y1], "area": (x2 - x1) * (y2 - y1), "iscrowd": 0,
                    "visible": round(visible, 3), "object_id": object_id,
                }
            )  # fmt: skip
    categories = [{"id": class_id, "name": name} for class_id, name in LABELS.items()]
    return {"info": dict(info or {}), "images": images, "annotations": annotations, "categories": categories}
