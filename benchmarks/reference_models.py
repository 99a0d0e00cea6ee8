"""Real detectors of many heads against references: whether they find what an independent decode finds.

    python -m benchmarks.reference_models [--pictures DIR] [--models DIR] [--engine SPEC]... [NAME]...

The models lie in ../shared/models, each with a ``reference.json``; the pictures are Ultralytics' bus.jpg and
zidane.jpg. In float32 every detection of the reference above 0.4 has one of ours (IoU 0.8, class, score within
0.05), and each of ours above 0.45 has one of the reference above 0.3. In an engine's own precision nine in ten have
one, over all models together, and the others are listed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks.common import SHARED, Report
from streamer.engines.registry import unavailable
from streamer.engines.spec_parser import parse_spec
from streamer.errors import StreamerError
from streamer.frame import Frame
from streamer.models.describe import describe
from streamer.models.find import find_model, with_made
from streamer.models.model import Model
from streamer.studies.offline_detector import Opened
from streamer.vendors.opencv import cv2

MODELS = SHARED / "models"
ENGINES = ("onnx", "ir", "ir-auto-shared", "ir-graph", "onnxruntime")
PICTURES = ("bus.jpg", "zidane.jpg")
UNSOUND = frozenset({"yolov8n_qdq_onnx"})
"""Models that are damaged: what they find is no reference."""
BY_BOXES = frozenset({"deimv2_atto_int8"})
"""Models that are too weak for their scores to be compared."""
SIZES = {"rtmdet_nano_nms": (320, 320)}
"""Height and width at which a model of any size was tried, where it does not tell them itself."""
WEAK = 0.1
"""The least confidence at which theirs count as found."""
IOU, SCORE = 0.8, 0.05
THEIRS, OURS, LEAST = 0.4, 0.45, 0.3
"""From these confidences on a detection must have another, which may have the least."""
SUPPRESSING_IOU = 0.45
"""That of the references."""
ENOUGH = 0.9

Found = dict[str, Any]
"""A detection as a reference has it: class, conf, and x1, y1, x2, y2."""


@dataclass(slots=True)
class Tally:
    """How many detections had to have another, and those that have none, in words."""

    expected: int = 0
    missing: list[str] = field(default_factory=list)

    def add(self, what: str, wanted: Sequence[Found], there: Sequence[Found], *, by_score: bool) -> None:
        """Each of ``wanted`` is to have one of ``there``."""
        for one in wanted:
            self.expected += 1
            if not any(_alike(one, other, by_score=by_score) for other in there):
                self.missing.append(f"{what} class {one['class']} {one['conf']:.2f}")


def _alike(one: Found, other: Found, *, by_score: bool) -> bool:
    close = not by_score or abs(one["conf"] - other["conf"]) <= SCORE
    return one["class"] == other["class"] and close and _overlap(one, other) >= IOU


def _overlap(one: Found, other: Found) -> float:
    width = min(one["x2"], other["x2"]) - max(one["x1"], other["x1"])
    height = min(one["y2"], other["y2"]) - max(one["y1"], other["y1"])
    both = max(width, 0) * max(height, 0)
    areas = sum((box["x2"] - box["x1"]) * (box["y2"] - box["y1"]) for box in (one, other))
    return float(both / (areas - both)) if both else 0.0


def compare(found: Sequence[Found], reference: Sequence[Found], what: str, *, by_score: bool) -> Tally:
    """Both ways."""
    tally = Tally()
    tally.add(f"{what}: not found", [d for d in reference if d["conf"] > THEIRS], found, by_score=by_score)
    known = [d for d in reference if d["conf"] > LEAST]
    tally.add(f"{what}: not in the reference", [d for d in found if d["conf"] > OURS], known, by_score=False)
    return tally


def detect(model: Model, spec: str, pictures: Path, least: float) -> Iterator[tuple[str, list[Found]]]:
    """What an engine finds in each of the pictures with at least so much confidence."""
    with Opened(parse_spec(spec), model, confidence=least, iou=SUPPRESSING_IOU) as opened:
        for name in PICTURES:
            image = cv2.imread(str(pictures / name))
            found = opened.detect(Frame(0, 0, Fraction(0), np.ascontiguousarray(image)))
            yield (
                name,
                [
                    {"class": class_id, "conf": confidence, **dict(zip(("x1", "y1", "x2", "y2"), box, strict=True))}
                    for box, confidence, class_id in zip(
                        found.xyxy.tolist(), found.confidence.tolist(), found.class_id.tolist(), strict=True
                    )
                ],
            )


def real_models(folder: Path, names: Sequence[str]) -> Iterator[tuple[str, Path, dict[str, list[Found]]]]:
    """Name, path and reference of each model that has one."""
    for reference in sorted(folder.glob("**/reference.json")):
        name = reference.parent.relative_to(folder).as_posix()
        for path in sorted([*reference.parent.glob("*.onnx"), *reference.parent.glob("*.xml")]):
            if name not in UNSOUND and (not names or name.partition("/")[0] in names or name in names):
                yield name, path, json.loads(reference.read_text())


def pictures_of_ultralytics() -> Path | None:
    """Where Ultralytics keeps its pictures; None where it is not installed."""
    found = find_spec("ultralytics")
    return None if found is None or found.origin is None else Path(found.origin).parent / "assets"


@click.command()
@click.option("--pictures", type=click.Path(path_type=Path), help="The folder with bus.jpg and zidane.jpg.")
@click.option("--models", "folder", type=click.Path(path_type=Path), default=MODELS, help="The folder of models.")
@click.option("--engine", "engines", multiple=True, default=ENGINES, help="An engine; may be given again.")
@click.argument("names", nargs=-1)
def main(pictures: Path | None, folder: Path, engines: Sequence[str], names: Sequence[str]) -> None:
    """Compare what real models find with their references."""
    report = Report()
    pictures = pictures or pictures_of_ultralytics()
    if pictures is None:
        raise click.UsageError("give --pictures with bus.jpg and zidane.jpg, or install Ultralytics")
    exact, usual = Tally(), Tally()
    found = list(real_models(folder, names))
    if not found:
        raise click.UsageError(f"{folder} has no model with a reference.json that is meant")
    for name, path, reference in found:
        try:
            model = _model(name, path)
        except StreamerError as error:
            exact.missing.append(f"{name}: {error}")
            report.say(f"{name}: refused: {error}")
            continue
        for engine in engines:
            if why := unavailable(parse_spec(engine), model):
                report.say(f"{name} {engine}: {why}")
                continue
            for tally, spec in ((exact, _in_float(engine)), (usual, engine)):
                part = _scored(model, spec, pictures, reference, name)
                tally.expected += part.expected
                tally.missing += part.missing
                report.say(f"{name} {spec}: {part.expected - len(part.missing)} of {part.expected}")
    for title, tally in (("in float32", exact), ("in their own precision", usual)):
        for line in tally.missing:
            report.say(f"  {title}: {line}")
    met = 1 - len(usual.missing) / max(1, usual.expected)
    report.at_most("float32: detections without a counterpart", len(exact.missing), 0)
    report.at_least("own precision: share with a counterpart", met, ENOUGH)
    report.end()


def _model(name: str, path: Path) -> Model:
    size = SIZES.get(name.partition("/")[0])
    return find_model(str(path)) if size is None else with_made(describe(path, trust=False, size=size)[0])


def _in_float(engine: str) -> str:
    """ONNX Runtime computes in float32 by itself."""
    return engine if engine.startswith("onnxruntime") else f"{engine},precision=f32"


def _scored(model: Model, spec: str, pictures: Path, reference: dict[str, list[Found]], name: str) -> Tally:
    tally = Tally()
    by_score = name.partition("/")[0] not in BY_BOXES
    try:
        for picture, found in detect(model, spec, pictures, LEAST - SCORE if by_score else WEAK):
            part = compare(found, reference[picture], f"{name} {spec} {picture}", by_score=by_score)
            tally.expected += part.expected
            tally.missing += part.missing
    except StreamerError as error:
        tally.expected += 1
        tally.missing.append(f"{name} {spec}: {error}")
    return tally


if __name__ == "__main__":
    main()
