"""The street camera: a pinhole above the near pavement that looks across the street.

World coordinates are metres: x along the street, y up, z across it, away from the camera. The camera stands at
(0, height, 0). Every actor keeps to its own strip of z, so painting by falling z is painting back to front.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import cos, radians, sin, tan

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]


@dataclass(frozen=True)
class Camera:
    """The place of the camera, and its direction.

    ``yaw_deg`` turns it along the street (positive: to the right), ``pitch_deg`` tilts it down, ``fov_deg`` is the
    horizontal field of view, and ``setback_m`` the distance from the camera to the near pavement.
    """

    height_m: float
    yaw_deg: float
    pitch_deg: float
    fov_deg: float
    setback_m: float


@dataclass(frozen=True)
class View:
    """A camera with the size of its image in pixels; projects metres to pixels."""

    camera: Camera
    width: int
    height: int

    @cached_property
    def focal_px(self) -> float:
        """Focal length in pixels; the field of view is that of a 4:3 image of the same height."""
        return self.height * (4 / 3) / 2 / tan(radians(self.camera.fov_deg) / 2)

    @cached_property
    def rotation(self) -> Points:
        """The rotation (3, 3): its rows are the camera's right, up and forward axes in world coordinates."""
        yaw, pitch = radians(self.camera.yaw_deg), radians(self.camera.pitch_deg)
        forward_flat = np.array([sin(yaw), 0.0, cos(yaw)])
        up = np.array([0.0, 1.0, 0.0])
        return np.stack(
            [
                np.array([cos(yaw), 0.0, -sin(yaw)]),
                up * cos(pitch) + forward_flat * sin(pitch),
                forward_flat * cos(pitch) - up * sin(pitch),
            ]
        )

    def project(self, points: Points) -> tuple[Points, NDArray[np.float64]]:
        """Pixels (n, 2) and depths (n,) in metres of world points (n, 3)."""
        seen = (points - np.array([0.0, self.camera.height_m, 0.0])) @ self.rotation.T
        depth = np.maximum(seen[:, 2], 0.5)
        scale = self.focal_px / depth
        return np.stack([self.width / 2 + seen[:, 0] * scale, self.height / 2 - seen[:, 1] * scale], axis=1), depth

    def reach(self, z: float, margin_m: float = 0.0) -> tuple[float, float]:
        """The stretch of x in metres that is seen at distance ``z`` across the street."""
        # A pitched camera sees a little more at its lower corners than the level angle says; 2 degrees cover it.
        half = np.degrees(np.arctan(self.width / 2 / self.focal_px)) + 2.0
        low, high = (radians(max(-80.0, min(80.0, self.camera.yaw_deg + side * half))) for side in (-1, 1))
        return z * tan(low) - margin_m, z * tan(high) + margin_m
