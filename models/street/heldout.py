"""What training never sees: seeds, weather and camera parameters kept for the evaluation."""

from __future__ import annotations

import numpy as np

from streamer.street.projection import Camera
from streamer.street.scene import Street, draw_conditions
from streamer.street.weather import Weather

TRAINING_SEEDS = 1_000_000
"""The first seed of training; all below it are held out, those of clips (0 to 99,999) among them."""
EVALUATION_SEEDS = 500_000
VALIDATION_SEEDS = 600_000

HELD_OUT_WEATHER = "haze"
"""A kind of weather that training never meets."""

GAPS: dict[str, tuple[tuple[float, float], ...]] = {
    "height_m": ((6.0, 6.6),),
    "yaw_deg": ((16.0, 22.0), (-22.0, -16.0)),
    "pitch_deg": ((11.0, 12.0),),
    "fov_deg": ((54.0, 57.0),),
    "setback_m": ((10.0, 10.7),),
    "intensity": ((0.4, 0.6),),
    "daylight": ((0.75, 0.85), (0.12, 0.22)),
}
"""What training leaves out of each camera and weather parameter; an evaluation frame lies in all of the gaps."""


def is_held_out(camera: Camera, weather: Weather) -> bool:
    """Whether any parameter lies in a gap."""
    values = {**vars(camera), **vars(weather)}
    inside = any(low <= values[name] <= high for name, gaps in GAPS.items() for low, high in gaps)
    return inside or weather.kind == HELD_OUT_WEATHER


def training_street(number: int, width: int = 640, height: int = 480, seeds: int = TRAINING_SEEDS) -> Street:
    """A street whose parameters all lie outside the gaps (validation: the same, with seeds of its own)."""
    seed = seeds + number
    rng = np.random.default_rng([seed, 8])
    while is_held_out(*(conditions := draw_conditions(rng))):
        pass
    return Street(seed, width, height, *conditions)


def evaluation_street(number: int, width: int = 640, height: int = 480) -> Street:
    """A street whose seed, camera and weather are held out; every third one in haze, which training never meets."""
    seed = EVALUATION_SEEDS + number
    rng = np.random.default_rng([seed, 9])
    _, weather = draw_conditions(rng)

    def inside(name: str) -> float:
        gaps = GAPS[name]
        low, high = gaps[int(rng.integers(len(gaps)))]
        return float(rng.uniform(low, high))

    camera = Camera(*(inside(name) for name in ("height_m", "yaw_deg", "pitch_deg", "fov_deg", "setback_m")))
    kind = HELD_OUT_WEATHER if number % 3 == 0 else weather.kind
    return Street(seed, width, height, camera, Weather(kind, inside("intensity"), inside("daylight")))
