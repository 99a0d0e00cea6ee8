"""What a detector found in one frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """Objects found in one frame, most confident first.

    ``xyxy`` is n x 4 float32, left, top, right, bottom in pixels of the source frame; ``confidence`` is n
    float32 between 0 and 1; ``class_id`` is n int32.
    """

    xyxy: npt.NDArray[np.float32]
    confidence: npt.NDArray[np.float32]
    class_id: npt.NDArray[np.int32]

    def __post_init__(self) -> None:
        n = len(self.confidence)
        if self.xyxy.shape != (n, 4) or self.class_id.shape != (n,):
            raise ValueError(f"detections disagree in length: {self.xyxy.shape}, {n}, {self.class_id.shape}")

    def __len__(self) -> int:
        return len(self.confidence)


def no_detections() -> Detections:
    """Nothing found."""
    return Detections(np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty(0, np.int32))
