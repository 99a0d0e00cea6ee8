"""Whether the tutorial's variants that can run here give the same detections on the bundled clip, to an IoU of 0.9.

python -m benchmarks.agreement
"""

from __future__ import annotations

import csv
import tempfile
from collections import defaultdict
from pathlib import Path

from benchmarks.common import CLIP, Report, replay
from streamer.engines.registry import unavailable
from streamer.engines.spec_parser import parse_spec
from streamer.engines.variants import TUTORIAL
from streamer.models.find import find_model
from tests.runs import Found, agreement

REFERENCE = "onnx,INFERENCE_PRECISION_HINT=f32"


def found(out: Path, frames: int) -> list[list[Found]]:
    """The detections of each frame of a run."""
    per_frame: dict[int, list[Found]] = defaultdict(list)
    with (out / "detections.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            box = (float(row["x1"]), float(row["y1"]), float(row["x2"]), float(row["y2"]))
            per_frame[int(row["frame"])].append(Found(int(row["class_id"]), float(row["confidence"]), box))
    return [per_frame[frame] for frame in range(frames)]


def main() -> None:
    """Runs each variant in a closed loop and compares with the first."""
    report = Report()
    model = find_model(None)
    specs = [spec for spec in TUTORIAL if unavailable(parse_spec(spec), model) is None]
    detections: dict[str, list[list[Found]]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for spec in (REFERENCE, *specs):
            out = Path(scratch) / "run"
            run = replay(CLIP, out, "--engine", spec, "--fps", "max", "--video", "none")
            detections[spec] = found(out, run["frames"]["scheduled"])
            precision = run["engine"]["config_in_force"].get("INFERENCE_PRECISION_HINT", "f32")
            report.say(f"{spec}: {sum(map(len, detections[spec]))} detections, effective precision {precision}")
    for spec in specs:
        there, back, compared = agreement(detections[spec], detections[REFERENCE], iou=0.9)
        report.at_least(f"{spec}: agreement with {REFERENCE} ({compared} compared)", min(there, back), 0.98)
    report.end()


if __name__ == "__main__":
    main()
