"""Weather and light: colours at a distance, rain and snow, and the sensor's noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamer.street.brush import Image
from streamer.vendors.opencv import cv2

WEATHERS = ("clear", "overcast", "rain", "fog", "snow", "haze")


@dataclass(frozen=True)
class Weather:
    """The weather: ``kind`` is one of `WEATHERS`, ``intensity`` 0 to 1, ``daylight`` 1 at noon and 0 in late dusk.

    Raises ValueError for another kind.
    """

    kind: str
    intensity: float
    daylight: float

    def __post_init__(self) -> None:
        if self.kind not in WEATHERS:
            raise ValueError(f"unknown weather {self.kind!r}: one of {', '.join(WEATHERS)}")

    @property
    def dusk(self) -> bool:
        """Whether lamps and headlights are lit."""
        return self.daylight < 0.5

    @property
    def ambient(self) -> NDArray[np.float64]:
        """The factor (3,) by which light changes a BGR colour."""
        day = {"clear": (0.98, 1.02, 1.06), "overcast": (0.95, 0.92, 0.9), "rain": (0.84, 0.8, 0.78)}
        bright = np.array(day.get(self.kind, (0.93, 0.92, 0.92)))
        night = np.array([0.50, 0.40, 0.36])
        return np.asarray(night + (bright - night) * self.daylight)

    @property
    def air(self) -> NDArray[np.float64]:
        """The BGR colour (3,) into which distance fades."""
        day = {
            "clear": (225, 205, 185),
            "haze": (185, 205, 218),
            "rain": (178, 172, 168),
            "snow": (222, 220, 218),
        }
        bright = np.array(day.get(self.kind, (205, 202, 200)), float)
        night = np.array([105.0, 78.0, 70.0])
        return np.asarray(night + (bright - night) * self.daylight)

    @property
    def visibility_m(self) -> float:
        """The distance at which 63 % of a colour is lost to the air."""
        near, far = {
            "clear": (600.0, 900.0), "overcast": (300.0, 500.0), "rain": (100.0, 240.0),
            "fog": (32.0, 110.0), "snow": (80.0, 200.0), "haze": (60.0, 140.0),
        }[self.kind]  # fmt: skip
        return far + (near - far) * self.intensity

    @property
    def shadow(self) -> float:
        """The share of light that shadows take away."""
        return (0.45 * self.daylight if self.kind == "clear" else 0.28) + 0.05

    @property
    def noise(self) -> float:
        """The standard deviation of the sensor's noise in grey levels: more in the dark."""
        return 2.0 + 5.0 * (1.0 - self.daylight) + (1.5 * self.intensity if self.kind in ("rain", "snow") else 0.0)

    def fade(self, depth_m: float | NDArray[np.float64]) -> NDArray[np.float64]:
        """The share of colour lost to the air at a distance."""
        return np.asarray(1.0 - np.exp(-np.asarray(depth_m) / self.visibility_m))

    def tint(self, colours: NDArray[np.float64], lit: NDArray[np.bool_], depth_m: float) -> NDArray[np.float64]:
        """BGR colours (n, 3) as seen from ``depth_m`` away; those that are ``lit`` (n,) are not darkened."""
        shaded = np.where(lit[:, None], colours, colours * self.ambient)
        return np.clip(shaded + (self.air - shaded) * self.fade(depth_m), 0, 255)


class Lens:
    """The rain or snow close to the camera, and the sensor's noise.

    Both are drawn once for a scene, and only moved from frame to frame.
    """

    _SPARE = 96

    def __init__(self, weather: Weather, width: int, height: int, seed: int) -> None:
        self._size = (height, width)
        rng = np.random.default_rng([seed, 77])
        grain = rng.normal(0.0, weather.noise, (height + self._SPARE, width + self._SPARE, 3))
        # Two unsigned halves: saturating 8-bit sums are ten times as fast as mixed-type ones.
        self._brighter: Image = np.clip(np.rint(grain), 0, 255).astype(np.uint8)
        self._darker: Image = np.clip(np.rint(-grain), 0, 255).astype(np.uint8)
        self._falling = _falling(weather, width, height * 2, rng)
        self._fall_px_s = height * (2.6 if weather.kind == "rain" else 0.35)

    def finish(self, image: Image, seconds: float, seed: tuple[int, int]) -> None:
        """Adds rain or snow and a frame's noise to ``image`` (h, w, 3), in place."""
        height, width = self._size
        rng = np.random.default_rng(seed)
        if self._falling is not None:
            top = int(-seconds * self._fall_px_s) % height
            cv2.add(image, self._falling[top : top + height], dst=image)
        dy, dx = (int(v) for v in rng.integers(0, self._SPARE, 2))
        cv2.add(image, self._brighter[dy : dy + height, dx : dx + width], dst=image)
        dy, dx = (int(v) for v in rng.integers(0, self._SPARE, 2))
        cv2.subtract(image, self._darker[dy : dy + height, dx : dx + width], dst=image)


def _falling(weather: Weather, width: int, height: int, rng: np.random.Generator) -> Image | None:
    """Streaks or flakes to be added to the image (height, width, 3), periodic in height; None in other weather."""
    if weather.kind not in ("rain", "snow"):
        return None
    half = height // 2
    layer: Image = np.zeros((half, width, 3), np.uint8)
    count = int(width * half / 307200 * (140 + 320 * weather.intensity))
    for x, y, size in zip(rng.uniform(0, width, count), rng.uniform(0, half, count), rng.random(count), strict=True):
        if weather.kind == "rain":
            level = 22 + 38 * size
            end = (int(x - 3 * size), int(y + 7 + 16 * size))
            cv2.line(layer, (int(x), int(y)), end, (level, level, level), 1, cv2.LINE_AA)
        else:
            level = 120 + 110 * size
            cv2.circle(
                layer,
                (int(x * 16), int(y * 16)),
                int(16 * (0.5 + 1.5 * size**3)),
                (level,) * 3,
                -1,
                cv2.LINE_AA,
                4,
            )
    return np.concatenate([layer, layer])
