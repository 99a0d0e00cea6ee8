"""The ground truth of a source: the objects that are really in its frames.

The synthetic street has its own. A clip of that street has a COCO JSON beside it. For other footage a COCO JSON can
be given. The truth's classes are mapped to the model's by their labels.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from streamer.accuracy.mean_average_precision import FrameTruth
from streamer.address import kind_of
from streamer.errors import SourceError, UsageError
from streamer.sources.base import SourceInfo
from streamer.sources.images import images_in, is_images
from streamer.street.clip import truth_path
from streamer.street.marker import SCENE
from streamer.street.scene import LABELS, Street

Size = tuple[int, int]
"""Width and height in pixels."""


@dataclass(frozen=True, slots=True)
class GroundTruth:
    """The truth of a source's frames.

    ``name`` is its origin. ``classes`` are the model's class ids that can be scored by it; ``unknown`` are its labels
    that the model lacks, whose objects do not count. ``of`` returns the truth of a frame by its index, and raises
    UsageError for a frame that is not in it or has another size there. Where pictures have sizes of their own,
    ``check`` raises that, given a frame's index and size. ``beyond`` is the number of its images that are not in the
    source.
    """

    name: str
    classes: tuple[int, ...]
    unknown: tuple[str, ...]
    of: Callable[[int], FrameTruth]
    check: Callable[[int, Size], None]
    beyond: int


def find_truth(source: str, info: SourceInfo, names: Sequence[str], file: Path | None = None) -> GroundTruth | str:
    """The truth of ``source`` in the classes of a model with ``names``, or the reason why there is none.

    ``file`` is a COCO JSON given for it. For a video an image's id is the frame's number, from 0; a folder's images
    are found by their file names. Raises UsageError when there is no such file or when it has none of the model's
    classes; SourceError when it is no COCO JSON.
    """
    if file is not None:
        truth = _from_coco(_read(file), file, source, info, names)
        if isinstance(truth, str):
            raise UsageError(f"--truth {file}: {truth}")
        return truth
    if kind_of(source) == "synthetic":
        return _from_scene(info, names)
    if not info.comment.startswith(SCENE):
        return f"{info.uri} has no ground truth of its own: give a COCO JSON with --truth FILE"
    beside = truth_path(Path(source))
    if not beside.is_file():
        return f"{info.uri} is the synthetic street, but its ground truth, {beside.name}, is not beside it"
    coco = _read(beside)
    # A clip that was cut or scaled keeps its comment, but its frames no longer match the truth.
    if info.frames not in (None, len(coco.sizes)) or set(coco.sizes.values()) != {(info.width, info.height)}:
        return f"{beside.name} is the ground truth of another clip than {info.uri}: frames or size differ"
    return _from_coco(coco, beside, source, info, names)


def _from_scene(info: SourceInfo, names: Sequence[str]) -> GroundTruth | str:
    # The source's own address has every refinement, including defaults.
    made = dict(refinement.split("=") for refinement in info.uri.split(",")[1:])
    street = Street(int(made["seed"]), int(made["width"]), int(made["height"]))
    rate = float(Fraction(made["fps"]))
    classes = _Classes(LABELS, names)

    def of(index: int) -> FrameTruth:
        _, present = street.frame(index, rate)
        return classes.translate(present.boxes.tolist(), present.class_id.tolist(), [False] * len(present))

    return classes.truth(info.uri, of, lambda index, size: None, 0)


def _from_coco(coco: _Coco, path: Path, source: str, info: SourceInfo, names: Sequence[str]) -> GroundTruth | str:
    classes = _Classes(coco.categories, names)
    image_of = _images_by_frame(source, coco)

    def of(index: int) -> FrameTruth:
        image = image_of(index)
        if image is None:
            raise UsageError(
                f"frame {index} of {info.uri} is not in {path.name}: the id of an image must be the frame's number, "
                "from 0, or in a folder its file_name that of the image"
            )
        if not info.own_sizes:
            check(index, (info.width, info.height))
        return classes.translate(*coco.objects.get(image, ([], [], [])))

    def check(index: int, found: Size) -> None:
        image = image_of(index)
        size = found if image is None else coco.sizes[image] or found
        if size != found:
            raise UsageError(
                f"frame {index} of {info.uri} is {found[0]}x{found[1]}, but {size[0]}x{size[1]} in {path.name}: "
                "give the truth of this source"
            )

    frames = range(0 if info.frames is None else info.frames)
    beyond = len(coco.sizes) - len({image_of(index) for index in frames} - {None}) if frames else 0
    return classes.truth(str(path), of, check, beyond)


class _Classes:
    """Maps the truth's classes to the model's, by label."""

    def __init__(self, labels: Mapping[int, str], names: Sequence[str]) -> None:
        known = {name.strip().casefold(): class_id for class_id, name in reversed(list(enumerate(names)))}
        self._class_of = {
            category: known[label.strip().casefold()]
            for category, label in labels.items()
            if label.strip().casefold() in known
        }
        self._labels = labels

    def truth(
        self, name: str, of: Callable[[int], FrameTruth], check: Callable[[int, Size], None], beyond: int
    ) -> GroundTruth | str:
        """The ground truth of the functions ``of`` and ``check``, or the reason why it cannot score the model."""
        if not self._class_of:
            shown = ", ".join(list(self._labels.values())[:8]) or "none"
            return (
                f"the model has none of the classes of {name} ({shown}): give a model or a truth with the same labels"
            )
        unknown = tuple(label for category, label in self._labels.items() if category not in self._class_of)
        return GroundTruth(name, tuple(sorted(set(self._class_of.values()))), unknown, of, check, beyond)

    def translate(
        self, boxes: Sequence[Sequence[float]], categories: Sequence[int], crowds: Sequence[bool]
    ) -> FrameTruth:
        """The truth of a frame from its objects (xyxy); those of classes that the model lacks are only counted."""
        rows = [
            (box, self._class_of[category], crowd)
            for box, category, crowd in zip(boxes, categories, crowds, strict=True)
            if category in self._class_of
        ]
        return FrameTruth(
            np.array([row[0] for row in rows], np.float64).reshape(-1, 4),
            np.array([row[1] for row in rows], np.int64),
            np.array([row[2] for row in rows], np.bool_),
            len(boxes) - len(rows),
        )


Objects = tuple[list[list[float]], list[int], list[bool]]
"""The boxes (xyxy), categories and crowd flags of an image."""


@dataclass(frozen=True, slots=True)
class _Coco:
    """A COCO detection file: labels by category; by image its size, its file name, and its objects."""

    categories: dict[int, str]
    sizes: dict[int, Size | None]
    file_names: dict[int, str]
    objects: dict[int, Objects]


def _read(path: Path) -> _Coco:
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UsageError(f"cannot read {path} ({error.strerror}): give a COCO JSON with the ground truth") from error
    except ValueError as error:
        raise SourceError(f"{path} is not JSON ({error}): give a COCO JSON with the ground truth") from error
    try:
        return _parse(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        reason = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise SourceError(
            f"{path} is no COCO detection file ({reason}): it takes images, annotations with bbox, and categories"
        ) from error


def _parse(document: Any) -> _Coco:
    if not isinstance(document, dict):
        raise TypeError("it holds no object")
    categories = {int(category["id"]): str(category["name"]) for category in document["categories"]}
    sizes = {
        int(image["id"]): (int(image["width"]), int(image["height"])) if "width" in image else None
        for image in document["images"]
    }
    file_names = {int(image["id"]): str(image.get("file_name", "")) for image in document["images"]}
    objects: dict[int, Objects] = {}
    for annotation in document["annotations"]:
        image, category = int(annotation["image_id"]), int(annotation["category_id"])
        x, y, wide, high = (float(value) for value in annotation["bbox"])
        if image not in sizes or category not in categories:
            raise ValueError(f"an annotation names image {image} and category {category}, which are not both in it")
        if not all(map(math.isfinite, (x, y, wide, high))) or min(wide, high) < 0:
            raise ValueError(f"the box {annotation['bbox']} of image {image} is not valid")
        boxes, class_ids, crowds = objects.setdefault(image, ([], [], []))
        boxes.append([x, y, x + wide, y + high])
        class_ids.append(category)
        crowds.append(bool(annotation.get("iscrowd", 0)))
    return _Coco(categories, sizes, file_names, objects)


def _images_by_frame(source: str, coco: _Coco) -> Callable[[int], int | None]:
    """A function from a frame's index to the id of its image; None for a frame that is not in ``coco``."""
    path = Path(source)
    if is_images(path):
        files = images_in(path) if path.is_dir() else [path]
        # Without the suffixes: images are often converted to another format.
        by_stem = {Path(name).stem: image for image, name in coco.file_names.items()}
        return lambda index: by_stem.get(files[index].stem)
    return lambda index: index if index in coco.sizes else None
