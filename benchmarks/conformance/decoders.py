"""The decoders of models, installed or not: each returns its detections in the kit's picture."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.conformance.files import Files
from benchmarks.conformance.scene import Shown
from streamer.detection.detections import Detections
from streamer.engines.registry import unavailable
from streamer.engines.spec_parser import parse_spec
from streamer.frame import Frame
from streamer.models.find import find_model
from streamer.studies.offline_detector import Opened

CONFIDENCE, IOU = 0.25, 0.5
ENGINES = ("onnx", "ir", "ir-graph", "ir-auto-shared", "onnxruntime")
BOX_OFF, CONFIDENCE_OFF = 0.3, 0.01
"""A box may be so many pixels of the picture aside, a confidence so far from the model's: halves round so far."""

Image = npt.NDArray[np.uint8]


Decoder = Callable[[Files, Image], Detections]


class Refused(Exception):
    """The decoder does not take the model; the message says why."""


def verdict(found: Detections, shown: Sequence[Shown]) -> str:
    """Right, or what is wrong."""
    left = list(range(len(found)))
    matched = boxes = 0
    for one in shown:
        near = [at for at in left if int(found.class_id[at]) == one.class_id]
        off = {at: float(np.abs(found.xyxy[at] - np.array(one.box)).max()) for at in near}
        at = min(near, key=off.__getitem__, default=None)
        if at is None:
            continue
        left.remove(at)
        boxes += 1
        matched += off[at] <= BOX_OFF and abs(float(found.confidence[at]) - one.confidence) <= CONFIDENCE_OFF
    if matched == len(shown) and not left:
        return "right"
    if not len(found):
        return "wrong: finds nothing"
    return f"wrong: {matched} of {len(shown)} are right, {boxes - matched} are askew, {len(left)} are not there"


def streamer(engine: str) -> Decoder:
    """streamer with one of its engines, in float32."""

    def decode(files: Files, image: Image) -> Detections:
        path = files.onnx if engine.startswith("onnx") else files.ir
        model = find_model(str(path))
        spec = parse_spec(engine if engine == "onnxruntime" else f"{engine},precision=f32")
        if why := unavailable(spec, model):
            raise Refused(why)
        with Opened(spec, model, confidence=CONFIDENCE, iou=IOU) as opened:
            return opened.detect(Frame(0, 0, Fraction(0), image))

    return decode


def ultralytics_ir(files: Files, image: Image) -> Detections:
    """Ultralytics with the IR, which it knows by the name of its folder."""
    return _ultralytics(files.ir.parent, image)


def ultralytics_onnx(files: Files, image: Image) -> Detections:
    """Ultralytics with the ONNX file, in ONNX Runtime."""
    return _ultralytics(files.onnx, image)


def _ultralytics(model: Path, image: Image) -> Detections:
    boxes = _results(model, image).boxes
    return _detections(boxes.xyxy.numpy(), boxes.conf.numpy(), boxes.cls.numpy())


def _results(model: Path, image: Image) -> Any:
    os.environ |= {"YOLO_OFFLINE": "true", "YOLO_AUTOINSTALL": "false", "YOLO_VERBOSE": "false"}
    import ultralytics

    height, width = image.shape[0], image.shape[1] // 2
    loaded = ultralytics.YOLO(model, task="detect")
    (result,) = loaded.predict(image, conf=CONFIDENCE, iou=IOU, imgsz=[height, width], verbose=False, save=False)
    return result


def model_api(files: Files, image: Image) -> Detections:
    """OpenVINO's Model API with the IR, and the kind of the model."""
    from model_api.models import Model

    if files.model_api is None:
        raise Refused("has no name for such a head")
    thresholds = {"confidence_threshold": CONFIDENCE, "iou_threshold": IOU}
    model = Model.create_model(str(files.ir), model_type=files.model_api, configuration=thresholds)
    found = model(image)
    return _detections(np.asarray(found.bboxes), np.asarray(found.scores), np.asarray(found.labels))


def supervision(files: Files, image: Image) -> Detections:
    """Supervision, which takes what Ultralytics found."""
    import supervision

    found = supervision.Detections.from_ultralytics(_results(files.ir.parent, image))
    return _detections(found.xyxy, found.confidence, found.class_id)


def _detections(xyxy: Any, confidence: Any, class_id: Any) -> Detections:
    return Detections(
        np.asarray(xyxy, np.float32).reshape(-1, 4),
        np.asarray(confidence, np.float32).reshape(-1),
        np.asarray(class_id).astype(np.int32).reshape(-1),
    )


def installed() -> dict[str, Decoder]:
    """Those that are here, by name; streamer's engines first."""
    found = {f"streamer {engine}": streamer(engine) for engine in ENGINES}
    if not find_spec("onnxruntime"):
        del found["streamer onnxruntime"]
    others: dict[str, tuple[Decoder, tuple[str, ...]]] = {
        "ultralytics ir": (ultralytics_ir, ("ultralytics",)),
        "ultralytics onnx": (ultralytics_onnx, ("ultralytics", "onnxruntime")),
        "model_api": (model_api, ("model_api",)),
        "supervision": (supervision, ("ultralytics", "supervision")),
    }
    return found | {name: decode for name, (decode, needed) in others.items() if all(map(find_spec, needed))}
