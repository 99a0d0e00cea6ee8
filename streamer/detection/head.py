"""The interface of heads. A head decodes the outputs of a model into boxes; each kind is a class of its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from streamer.detection.input_spec import InputSpec
from streamer.detection.ports import Signature

Array = npt.NDArray[Any]
Outputs = Sequence[Array]
"""All outputs of a model for a picture, in the model's order."""
Floats = npt.NDArray[np.float32]
Candidates = tuple[Floats, Floats, npt.NDArray[np.int32]]
"""Boxes (n x 4: left, top, right, bottom in pixels of the model's input), confidence (n) and class_id (n)."""


@dataclass(frozen=True, slots=True)
class Object:
    """An object for an example: its centre and size in pixels of the model's input, confidence and class."""

    x: float
    y: float
    width: float
    height: float
    confidence: float
    class_id: int

    @property
    def corners(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom."""
        half_width, half_height = self.width / 2, self.height / 2
        return self.x - half_width, self.y - half_height, self.x + half_width, self.y + half_height


class By(IntEnum):
    """The evidence by which a head is recognised, the surest first."""

    METADATA = 1
    NAMES = 2
    SHAPE = 3
    RARE_SHAPE = 4
    """A shape that heads of the kind seldom have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """A model's metadata about its head; None where it has none.

    ``classes`` is the number of names. ``task`` and ``layer`` are Ultralytics' (``detect``, ``RTDETRDecoder``).
    ``family`` is ``model_type`` of OpenVINO's ``model_info``, in small letters. ``nms_inside``: it was exported with
    NMS. ``keypoints`` is the number of a pose's columns after the scores.
    """

    classes: int | None = None
    task: str | None = None
    end_to_end: bool | None = None
    layer: str | None = None
    family: str | None = None
    nms_inside: bool | None = None
    keypoints: int | None = None


class Head(ABC):
    """The head of one model. `recognise` finds the kind; the store keeps its name, from which it is made again.

    ``name`` identifies the kind in `run.json` and `models list`. ``about`` names its families of models. ``assumed``
    is the preprocessing of this kind where a model declares none. ``suppressed``: its boxes need no NMS. ``untried``:
    it was not tested with a real model.
    """

    name: ClassVar[str]
    about: ClassVar[str]
    assumed: ClassVar[InputSpec]
    suppressed: ClassVar[bool] = False
    untried: ClassVar[bool] = False
    nothing: Set[int] = frozenset()
    """The ids of classes that are no objects, such as the background."""

    def __init__(self, model: Signature, classes: int | None = None) -> None:
        """``classes`` is the number of names; None where there are none."""
        self.model = model
        self.classes = self.classes_of(model) or classes

    @classmethod
    @abstractmethod
    def recognise(cls, model: Signature, hints: Hints) -> By | None:
        """The evidence that the model's head is of this kind; None when it is not."""

    def classes_of(self, model: Signature) -> int | None:
        """How many classes the outputs have room for; None where their shapes do not determine it."""
        return None

    @classmethod
    def declared_classes(cls, model: Signature, hints: Hints) -> int | None:
        """How many classes the outputs have room for by the metadata, where their shapes do not determine it."""
        return None

    @abstractmethod
    def decode(self, outputs: Outputs, threshold: float) -> Candidates:
        """The candidates with a confidence above ``threshold``, in any order."""

    @abstractmethod
    def scores(self, outputs: Outputs) -> Floats:
        """All scores that the model puts out, in any shape; a sound model's are from 0 to 1."""

    def fits_answer(self, outputs: Outputs) -> str | None:
        """The reason why these outputs of a trial run are not those of such a head; None when they may be.

        It distinguishes heads of the same shapes, and detectors from other models.
        """
        return None

    @abstractmethod
    def example(self, objects: Sequence[Object]) -> list[Array]:
        """Outputs that contain exactly ``objects``, as many as there is room for."""

    def other_inputs(self) -> Mapping[int, Array]:
        """The constant inputs beside the picture, by the number of the input."""
        return {}

    def notes(self) -> list[str]:
        """The notes for users of such a model."""
        return []

    def blank(self) -> list[Array]:
        """Outputs of zeros; a side of no fixed length is 0."""
        return [np.zeros([side or 0 for side in port.shape], port.dtype) for port in self.model.outputs]


@dataclass(frozen=True, slots=True)
class Recognised:
    """A kind of head that fits a model, and the evidence."""

    kind: type[Head]
    by: By
    others: tuple[type[Head], ...] = field(default=())
    """Other kinds that fit by the same evidence; a trial run decides between them."""


def no_candidates() -> Candidates:
    """No candidates."""
    return np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int32)


def corners_of(cxcywh: Floats) -> Floats:
    """The corners (n x 4: left, top, right, bottom) of boxes given as centre and size (n x 4)."""
    xyxy = np.empty_like(cxcywh)
    half = cxcywh[:, 2:] / 2
    np.subtract(cxcywh[:, :2], half, out=xyxy[:, :2])
    np.add(cxcywh[:, :2], half, out=xyxy[:, 2:])
    return xyxy


def floats(array: Array) -> Floats:
    """The array in float32; the same array if it has that type."""
    return np.asarray(array, np.float32)
