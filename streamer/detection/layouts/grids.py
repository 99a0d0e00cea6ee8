"""The heads of NanoDet and PicoDet: scores per cell, and the distances of its box's sides as distributions."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from math import ceil
from typing import ClassVar

import numpy as np

from streamer.detection.head import Array, By, Candidates, Floats, Head, Hints, Object, Outputs, floats
from streamer.detection.input_spec import Colour, Fit, InputSpec
from streamer.detection.layouts.activations import softmax
from streamer.detection.layouts.detr import IMAGENET, flat_view
from streamer.detection.layouts.reaching import boxes_reaching
from streamer.detection.layouts.tables import plane
from streamer.detection.ports import Signature

NANODET = InputSpec(
    colour=Colour.BGR,
    high=255.0,
    mean=(103.53, 116.28, 123.675),
    scale=(57.375, 57.12, 58.395),
    fit=Fit.STRETCH,
)
"""BGR, 0 to 255, with ImageNet's mean and standard deviation, stretched: NanoDet's own settings."""
THREE, FOUR = (8, 16, 32), (8, 16, 32, 64)
SIDES = 4
BINS = (8, 11)
"""The usual numbers of bins of a distribution; NanoDet's settings have no others."""
COCO = 80
UNLIKELY = -100.0
"""The logit of a bin with no share."""
TOLERANCE = 0.01
"""Rounding may move a score so far below 0 or above 1."""

Parts = list[tuple[Array, Array]]
"""For each output with scores: cells x classes, and cells x distributions, with the cells in the same order.

They are views of the outputs, in their own type.
"""


class Cells:
    """The cells of several grids, row by row, the finest grid first.

    ``centres`` (cells x 2) are the reference points of boxes in pixels of the input; they lie ``shift`` cells from
    the cells' corners. ``strides`` (cells) are the cells' sides in pixels.
    """

    def __init__(self, input_size: tuple[int, int], strides: Sequence[int], shift: float) -> None:
        parts, sides = [], []
        for stride in strides:
            rows, columns = _grid(input_size, stride)
            y, x = np.mgrid[:rows, :columns]
            parts.append((np.stack([x.ravel(), y.ravel()], axis=1) + shift) * stride)
            sides.append(np.full(rows * columns, stride))
        self.centres = np.concatenate(parts).astype(np.float32)
        self.strides = np.concatenate(sides).astype(np.float32)


def _grid(input_size: tuple[int, int], stride: int) -> tuple[int, int]:
    """Rows and columns of a grid; cells at the edge may lie partly outside."""
    return ceil(input_size[0] / stride), ceil(input_size[1] / stride)


def cells_of(input_size: tuple[int, int], strides: Sequence[int]) -> list[int]:
    """The number of cells of the grid of each stride."""
    return [rows * columns for rows, columns in (_grid(input_size, stride) for stride in strides)]


class Distributions(Head):
    """The base of these heads: a score per class and cell, and a distribution for each side of the cell's box.

    The distance of a side is the expectation of its distribution, times the stride (Li et al., Generalized Focal
    Loss, arXiv:2006.04388).
    """

    strides: ClassVar[tuple[int, ...]]
    shift: ClassVar[float] = 0.5

    def __init__(self, model: Signature, classes: int | None = None) -> None:
        super().__init__(model, classes)
        self._cells = Cells(model.input_size, self.strides, self.shift)

    @abstractmethod
    def parts(self, outputs: Outputs) -> Parts:
        """The outputs as `Parts`."""

    def decode(self, outputs: Outputs, threshold: float) -> Candidates:
        chosen, scores, sides, start = [], [], [], 0
        for of_classes, distributions in self.parts(outputs):
            above = boxes_reaching(of_classes, threshold)
            chosen.append(above + start)
            scores.append(floats(of_classes[above]))
            sides.append(floats(distributions[above]))
            start += len(of_classes)
        of_cells, best = np.concatenate(chosen), np.concatenate(scores)
        class_id = best.argmax(axis=1)
        boxes = self._boxes(of_cells, np.concatenate(sides))
        return boxes, best[np.arange(len(best)), class_id], class_id.astype(np.int32)

    def _boxes(self, cells: Array, distributions: Floats) -> Floats:
        bins = distributions.shape[1] // SIDES
        shares = softmax(distributions.reshape(-1, SIDES, bins))
        reach = shares @ np.arange(bins, dtype=np.float32) * self._cells.strides[cells, None]
        centres = self._cells.centres[cells]
        return np.concatenate([centres - reach[:, :2], centres + reach[:, 2:]], axis=1)

    def scores(self, outputs: Outputs) -> Floats:
        return np.concatenate([floats(of_classes) for of_classes, _ in self.parts(outputs)])

    def fits_answer(self, outputs: Outputs) -> str | None:
        scores = self.scores(outputs)
        if scores.size and not scores.any():
            return "all its scores are 0, which those of NanoDet and PicoDet never are"
        inside = (scores >= -TOLERANCE) & (scores <= 1 + TOLERANCE)
        return None if inside.all() else "its scores are not from 0 to 1, as those of NanoDet and PicoDet are"

    def example(self, objects: Sequence[Object]) -> list[Array]:
        answer = [np.zeros([side or 1 for side in port.shape], port.dtype) for port in self.model.outputs]
        parts, used = self.parts(answer), set[int]()
        starts = np.cumsum([0, *(len(scores) for scores, _ in parts)])
        for thing in objects:
            cell = self._cell_for(thing, used)
            used.add(cell)
            part = int(np.searchsorted(starts, cell, side="right")) - 1
            of_classes, distributions = parts[part]
            row = cell - starts[part]
            of_classes[row, thing.class_id] = thing.confidence
            distributions[row] = self._reaching(thing, cell, distributions.shape[1] // SIDES).ravel()
        return answer

    def _cell_for(self, thing: Object, used: set[int]) -> int:
        """The unused cell nearest to the object's centre, in the finest grid whose distributions reach its sides."""
        reach = max(thing.width, thing.height) / 2 + self._cells.strides
        away = np.abs(self._cells.centres - (thing.x, thing.y)).max(axis=1)
        cost = away + np.where(reach > (BINS[0] - 1) * self._cells.strides, 1e6, 0) + self._cells.strides
        cost[list(used)] = np.inf
        return int(cost.argmin())

    def _reaching(self, thing: Object, cell: int, bins: int) -> Floats:
        """Logits (sides x bins) of distributions whose expectations are the distances of the object's sides."""
        corners = np.array(thing.corners).reshape(2, 2)
        away = (corners - self._cells.centres[cell]) * [[-1], [1]] / self._cells.strides[cell]
        away = away.ravel().clip(0, bins - 1)
        share = 1 - np.abs(away[:, None] - np.arange(bins))
        logits: Floats = np.log(share.clip(np.exp(UNLIKELY), 1))
        return logits


class NanoDet(Distributions):
    """One output of cells x (classes, distributions), with one grid after the other."""

    name = "nanodet"
    about = "NanoDet from 0.4 on, the one output of strides 8, 16 and 32"
    assumed = NANODET
    untried = True
    strides: ClassVar[tuple[int, ...]] = THREE

    @classmethod
    def recognise(cls, model: Signature, hints: Hints) -> By | None:
        columns = cls._columns(model)
        # Ultralytics' models have a task, and none has such a head.
        if columns is None or hints.task is not None or bins_of(columns, hints.classes) is None:
            return None
        return By.SHAPE

    @classmethod
    def _columns(cls, model: Signature) -> int | None:
        """The number of columns of the outputs: of one for all grids, or of one per grid; None for others."""
        cells = cls._cells_in(model)
        sides = [plane(model, at) for at in range(len(model.outputs))]
        if cells is None or any(side is None or side[0] != count for side, count in zip(sides, cells, strict=True)):
            return None
        columns = {side[1] for side in sides if side is not None}
        return columns.pop() if len(columns) == 1 else None

    @classmethod
    def _cells_in(cls, model: Signature) -> list[int] | None:
        """The number of cells of each output; None for another number of outputs than such a model has."""
        counts = cells_of(model.input_size, cls.strides)
        if len(model.outputs) == 1:
            return [sum(counts)]
        return counts if len(model.outputs) == len(counts) else None

    def __init__(self, model: Signature, classes: int | None = None) -> None:
        super().__init__(model, classes)
        columns = self._columns(model) or 0
        self._end = columns - SIDES * (bins_of(columns, self.classes) or BINS[0])

    def classes_of(self, model: Signature) -> int | None:
        # No file declares how the columns are divided; a remainder of 80 classes is no accident.
        columns = self._columns(model) or 0
        return COCO if columns - COCO in [SIDES * bins for bins in BINS] else None

    def parts(self, outputs: Outputs) -> Parts:
        rows = [flat_view(output) for output in outputs]
        return [(part[:, : self._end], part[:, self._end :]) for part in rows]


class NanoDetPlus(NanoDet):
    """As `NanoDet`, with one more, coarser grid, and with the cells' corners as reference points."""

    name = "nanodet-plus"
    about = "NanoDet-Plus, the one output of strides 8, 16, 32 and 64"
    strides = FOUR
    shift = 0.0


class NanoDetStrides(Distributions):
    """For each stride, an output of cells x classes and one of cells x distributions."""

    name = "nanodet-strides"
    about = (
        "NanoDet before 0.4, outputs for each of the strides 8, 16 and 32 (`cls_pred_stride_8`, `dis_pred_stride_8`)"
    )
    assumed = NANODET
    strides: ClassVar[tuple[int, ...]] = THREE

    @classmethod
    def recognise(cls, model: Signature, hints: Hints) -> By | None:
        found = pairs(model, cls.strides)
        if found is None or hints.task is not None:
            return None
        named = all(port.name.startswith(("cls_pred", "dis_pred")) for port in model.outputs)
        return By.NAMES if named else By.SHAPE

    def __init__(self, model: Signature, classes: int | None = None) -> None:
        super().__init__(model, classes)
        self._pairs = pairs(model, self.strides) or []

    def classes_of(self, model: Signature) -> int | None:
        found = pairs(model, self.strides)
        return model.outputs[found[0][0]].shape[-1] if found else None

    def parts(self, outputs: Outputs) -> Parts:
        return [(flat_view(outputs[scores]), flat_view(outputs[sides])) for scores, sides in self._pairs]


class PicoDet(NanoDetStrides):
    """As `NanoDetStrides`, with one more, coarser grid."""

    name = "picodet"
    about = "PicoDet of PaddleDetection without what comes after, outputs for each of the strides 8, 16, 32 and 64"
    assumed = IMAGENET
    untried = True
    strides = FOUR


def pairs(model: Signature, strides: Sequence[int]) -> list[tuple[int, int]] | None:
    """The numbers of the outputs with the scores and the distributions of each stride; None for other models.

    The scores come first, as all exporters of such models write them, unless the names say otherwise: `cls`, `dis`.
    """
    if len(model.outputs) != 2 * len(strides):
        return None
    found = []
    for cells in cells_of(model.input_size, strides):
        of_grid = [at for at in range(len(model.outputs)) if (plane(model, at) or (0,))[0] == cells]
        if len(of_grid) != 2:
            return None
        first, second = sorted(of_grid, key=lambda at: model.outputs[at].name.startswith("dis"))
        found.append((first, second))
    columns = {tuple((plane(model, at) or (0, 0))[1] for at in pair) for pair in found}
    return found if len(columns) == 1 and is_distribution(next(iter(columns))[1]) else None


def is_distribution(columns: int) -> bool:
    """So many columns can be four distributions of at least two bins each."""
    return columns % SIDES == 0 and columns >= 2 * SIDES


def bins_of(columns: int, classes: int | None) -> int | None:
    """The number of bins per distribution, in so many columns with so many classes; None when they do not fit.

    Where the number of classes is unknown, it is COCO's if that fits.
    """
    if classes is not None:
        return (columns - classes) // SIDES if is_distribution(columns - classes) else None
    usual = [bins for bins in BINS if columns > SIDES * bins]
    of_coco = [bins for bins in usual if columns - SIDES * bins == COCO]
    return next(iter(of_coco or usual), None)
