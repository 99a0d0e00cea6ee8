"""The objects that a detector found in one frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from streamer.detection.class_names import label_of


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """Objects found in one frame, most confident first; ``len()`` is their number n.

    ``xyxy`` is n x 4 float32: left, top, right, bottom in pixels of the source frame. ``confidence`` is n float32
    from 0 to 1. ``class_id`` is n int32. ``names`` has the names of all the model's classes, by ``class_id``, and is
    empty where they are unknown. Raises ValueError when the arrays' lengths differ.
    """

    xyxy: npt.NDArray[np.float32]
    confidence: npt.NDArray[np.float32]
    class_id: npt.NDArray[np.int32]
    names: Sequence[str] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        n = len(self.confidence)
        if self.xyxy.shape != (n, 4) or self.class_id.shape != (n,):
            raise ValueError(f"detections disagree in length: {self.xyxy.shape}, {n}, {self.class_id.shape}")

    def __len__(self) -> int:
        return len(self.confidence)

    @property
    def labels(self) -> list[str]:
        """The n names of the objects' classes; ``class_N`` where there are no names."""
        return [label_of(self.names, class_id) for class_id in self.class_id.tolist()]


def no_detections() -> Detections:
    """Detections of no object."""
    return Detections(np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty(0, np.int32))
