"""What a head is: how the outputs of a model become boxes. Each kind of head is a class of its own."""

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
"""What a model puts out for a picture: all its outputs, in its own order."""
Floats = npt.NDArray[np.float32]
Candidates = tuple[Floats, Floats, npt.NDArray[np.int32]]
"""Boxes (n x 4: left, top, right, bottom in pixels of the model's input), confidence (n) and class_id (n)."""


@dataclass(frozen=True, slots=True)
class Object:
    """Something to be found: its centre and size in pixels of the model's input, confidence and class."""

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
    """How a head was recognised, the surest first."""

    METADATA = 1
    NAMES = 2
    SHAPE = 3
    RARE_SHAPE = 4
    """A shape that heads of the kind seldom have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """What a model's metadata says of its head; None or empty for what it does not.

    ``classes`` is the number of names; ``task`` and ``layer`` are Ultralytics' (``detect``, ``RTDETRDecoder``);
    ``family`` is ``model_type`` of OpenVINO's ``model_info``, in small letters; ``nms_inside``: it was exported with
    it; ``keypoints`` are the columns of a pose after the scores.
    """

    classes: int | None = None
    task: str | None = None
    end_to_end: bool | None = None
    layer: str | None = None
    family: str | None = None
    nms_inside: bool | None = None
    keypoints: int | None = None


class Head(ABC):
    """A head of one model. An instance is made of what `recognise` found to fit, or again from the store's entry.

    ``name`` is what `run.json` and `models list` call it, ``about`` says in words whose it is. ``assumed`` is the
    preprocessing of models of this kind, where nothing tells theirs. ``suppressed``: nothing is left to suppress.
    ``untried``: no real model of the kind was at hand.
    """

    name: ClassVar[str]
    about: ClassVar[str]
    assumed: ClassVar[InputSpec]
    suppressed: ClassVar[bool] = False
    untried: ClassVar[bool] = False
    nothing: Set[int] = frozenset()
    """Numbers of classes that are no objects: the background."""

    def __init__(self, model: Signature, classes: int | None = None) -> None:
        """``classes`` is how many names there are; None where there are none."""
        self.model = model
        self.classes = self.classes_of(model) or classes

    @classmethod
    @abstractmethod
    def recognise(cls, model: Signature, hints: Hints) -> By | None:
        """By what the model's head is one of this kind; None when it is not."""

    def classes_of(self, model: Signature) -> int | None:
        """How many classes the outputs have room for; None where they do not tell."""
        return None

    @classmethod
    def declared_classes(cls, model: Signature, hints: Hints) -> int | None:
        """How many classes the outputs have room for as the metadata tells, where their shapes do not."""
        return None

    @abstractmethod
    def decode(self, outputs: Outputs, threshold: float) -> Candidates:
        """What is found with more confidence than ``threshold``, in any order."""

    @abstractmethod
    def scores(self, outputs: Outputs) -> Floats:
        """All the scores as the model gives them, from 0 to 1 in a sound one; any shape."""

    def fits_answer(self, outputs: Outputs) -> str | None:
        """Why these outputs are not those of such a head; None when they may be.

        Tells heads of one shape apart, and what is no detector: the outputs are those of a trial.
        """
        return None

    @abstractmethod
    def example(self, objects: Sequence[Object]) -> list[Array]:
        """Outputs in which exactly these are found, as many as there is room for."""

    def other_inputs(self) -> Mapping[int, Array]:
        """What goes in beside the picture, the same for every picture, by the number of the input."""
        return {}

    def notes(self) -> list[str]:
        """What whoever runs such a model should know."""
        return []

    def blank(self) -> list[Array]:
        """Outputs of zeros; what has no fixed length has none."""
        return [np.zeros([side or 0 for side in port.shape], port.dtype) for port in self.model.outputs]


@dataclass(frozen=True, slots=True)
class Recognised:
    """A head that fits a model, and by what."""

    kind: type[Head]
    by: By
    others: tuple[type[Head], ...] = field(default=())
    """Those that fit as well by the same; a trial decides."""


def no_candidates() -> Candidates:
    """Nothing."""
    return np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int32)


def corners_of(cxcywh: Floats) -> Floats:
    """Corners (n x 4) of boxes that are given as centre and size (n x 4)."""
    xyxy = np.empty_like(cxcywh)
    half = cxcywh[:, 2:] / 2
    np.subtract(cxcywh[:, :2], half, out=xyxy[:, :2])
    np.add(cxcywh[:, :2], half, out=xyxy[:, 2:])
    return xyxy


def floats(array: Array) -> Floats:
    """The array in float32; the same one if it is."""
    return np.asarray(array, np.float32)
