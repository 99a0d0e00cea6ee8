"""Export the model, and score it on held-out frames: `python models/street/evaluate.py [--export] [--write]`.

200 frames whose seeds, weather and camera parameters training never saw go through model.onnx, and then through its
quantized form int8.xml (see quantize.py), in OpenVINO at 640x480;
Ultralytics' own suppression (confidence 0.001, IoU 0.7, at most 300) and pycocotools do the rest.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent.parent)]

import numpy as np  # noqa: E402
from heldout import VALIDATION_SEEDS, evaluation_street, training_street  # noqa: E402
from numpy.typing import NDArray  # noqa: E402
from quantize import make_int8  # noqa: E402

from streamer.accuracy.mean_average_precision import EVERY_SIZE, FrameTruth, mean, precisions  # noqa: E402
from streamer.detection.detections import Detections  # noqa: E402
from streamer.street.scene import LABELS, Truth  # noqa: E402

WIDTH, HEIGHT = 640, 480
PACKAGES = ("torch", "ultralytics", "onnx", "openvino", "nncf", "pycocotools")
SIZES = {
    "under 32 px": (0, 32),
    "32 to 64 px": (32, 64),
    "64 to 128 px": (64, 128),
    "128 px and more": (128, 10_000),
}
"""By the larger side of the box."""


def render(frames: int, validation: bool) -> tuple[list[NDArray[np.uint8]], list[Truth]]:
    """One frame of each street, some minutes into its day."""
    images, truths = [], []
    for number in range(frames):
        street = training_street(number, seeds=VALIDATION_SEEDS) if validation else evaluation_street(number)
        image, truth = street.frame(number * 31, 30.0)
        images.append(image)
        truths.append(truth)
    return images, truths


def detect(model: Path, images: list[NDArray[np.uint8]]) -> list[Detections]:
    """The detections of each image."""
    import torch
    from ultralytics.utils.nms import non_max_suppression

    from streamer.vendors.openvino_quiet import ov

    compiled = ov.Core().compile_model(str(model), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    found: list[Detections] = []
    for image in images:
        tensor = np.ascontiguousarray(image[None, :, :, ::-1].transpose(0, 3, 1, 2), np.float32) / 255
        raw = torch.from_numpy(compiled(tensor)[0].copy())
        kept = non_max_suppression(raw, 0.001, 0.7, multi_label=True, max_det=300)[0]
        rows = kept.numpy()
        found.append(Detections(rows[:, :4], rows[:, 4], rows[:, 5].astype(np.int32)))
    return found


def score(truths: list[Truth], found: list[Detections]) -> dict[str, Any]:
    """Mean average precision overall, per class and per size, by pycocotools."""
    present = [FrameTruth(one.boxes, one.class_id, np.zeros(len(one), np.bool_)) for one in truths]
    sizes = {**EVERY_SIZE, **{name: (float(low), float(high)) for name, (low, high) in SIZES.items()}}
    precision = precisions(present, found, sorted(LABELS), sizes)

    def figures(chosen: NDArray[np.float64]) -> dict[str, float]:
        def rounded(value: float | None) -> float:
            return float("nan") if value is None else round(value, 4)

        return {"AP50": rounded(mean(chosen[0])), "AP50-95": rounded(mean(chosen))}

    classes = np.concatenate([one.class_id for one in truths])
    side = np.concatenate([(one.boxes[:, 2:] - one.boxes[:, :2]).max(axis=1) for one in truths])
    per_class = {
        LABELS[class_id]: {"objects": int((classes == class_id).sum()), **figures(precision[:, :, number, 0])}
        for number, class_id in enumerate(sorted(LABELS))
    }
    per_size = {
        name: {
            "objects": int(((side >= low) & (side < high)).sum()),
            **figures(precision[:, :, :, 1 + number]),
        }
        for number, (name, (low, high)) in enumerate(SIZES.items())
    }
    overall = figures(precision[:, :, :, 0])
    return {
        "frames": len(truths), "objects": len(classes), "mAP50": overall["AP50"], "mAP50-95": overall["AP50-95"],
        "per_class": per_class, "per_size": per_size,
    }  # fmt: skip


def export(folder: Path) -> None:
    """model.onnx from model.pt by Ultralytics: 480x640, one image, float32, opset 17."""
    from ultralytics import YOLO

    YOLO(str(folder / "model.pt")).export(
        format="onnx",
        imgsz=[HEIGHT, WIDTH],
        batch=1,
        dynamic=False,
        opset=17,
        simplify=False,
        verbose=False,
    )


def write_metadata(folder: Path, result: dict[str, Any], quantized: dict[str, Any]) -> None:
    """metadata.json: what the files are, how they were made, and what they achieve."""
    import onnx
    import torch

    graph = onnx.load(folder / "model.onnx")
    checkpoint = torch.load(folder / "model.pt", map_location="cpu", weights_only=False)
    files = {
        name: {
            "sha256": hashlib.sha256((folder / name).read_bytes()).hexdigest(),
            "bytes": (folder / name).stat().st_size,
        }
        for name in ("model.pt", "model.onnx", "int8.xml", "int8.bin")
    }
    metadata = {
        "name": "street", "task": "detect", "architecture": "yolov5n (Ultralytics layout, 80 classes)",
        "input_size": [HEIGHT, WIDTH], "head": "boxes+classes", "output_shape": [1, 84, 6300],
        "opset": graph.opset_import[0].version, "license": "AGPL-3.0-or-later",
        "names": list(checkpoint["model"].names.values()), "trained_classes": list(LABELS.values()), "files": files,
        "versions": {name: version(name) for name in PACKAGES},
        "training": checkpoint["training"] | {"date": checkpoint["date"]},
        "evaluation": result,
        "evaluation_int8": quantized,
    }  # fmt: skip
    (folder / "metadata.json").write_text(json.dumps(metadata, indent=1) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=HERE, help="the directory with model.pt and model.onnx")
    parser.add_argument("--frames", type=int, default=200)
    parser.add_argument("--export", action="store_true", help="make model.onnx and int8.xml from model.pt first")
    parser.add_argument("--write", action="store_true", help="write the results into metadata.json")
    parser.add_argument(
        "--validation", action="store_true", help="score on training conditions instead (other seeds)"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        os.environ.update(YOLO_OFFLINE="true", YOLO_AUTOINSTALL="false", YOLO_CONFIG_DIR=scratch)
        if options.export:
            export(options.model)
            make_int8(options.model)
        images, truths = render(options.frames, options.validation)
        result = score(truths, detect(options.model / "model.onnx", images))
        quantized = score(truths, detect(options.model / "int8.xml", images))
        if options.write:
            write_metadata(options.model, result, quantized)
    print(json.dumps({"model.onnx": result, "int8.xml": quantized}, indent=1))


if __name__ == "__main__":
    main()
