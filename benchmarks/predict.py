"""Whole frames a second with the annotated video, against Ultralytics' ``predict(save=True)``, in turn.

The same video, and the same kind of model (YOLOv5n at 640x480 as OpenVINO IR). Ultralytics runs the bundled model in
the IR that it exports itself; streamer runs that model and, as the target names it, the COCO one.

    python -m benchmarks.predict [--rounds 3]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from shutil import copy
from statistics import median

from benchmarks.common import COCO_MODEL, FOOTAGE, ROOT, Report, needs, records, replay, spread

EXPORT = """
import sys
from ultralytics import YOLO
YOLO(sys.argv[1]).export(format="openvino", imgsz=[480, 640], half=True, verbose=False)
"""
PREDICT = """
import json, sys, time
from ultralytics import YOLO
times = []
for _ in YOLO(sys.argv[1], task="detect").predict(
    sys.argv[2], save=True, stream=True, imgsz=[480, 640], conf=0.25, iou=0.5, verbose=False, project=sys.argv[3]
):
    times.append(time.monotonic())
print(json.dumps([len(times), times[-1] - times[0]]))
"""


def python(code: str, *arguments: Path, scratch: Path) -> str:
    """What a program of Ultralytics printed last."""
    quiet = {"YOLO_OFFLINE": "true", "YOLO_AUTOINSTALL": "false", "YOLO_CONFIG_DIR": str(scratch)}
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=scratch,
        env={**os.environ, **quiet},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        sys.exit(done.stderr)
    return done.stdout.splitlines()[-1]


def ours(model: str | Path, out: Path) -> float:
    """Frames a second, from the first frame written to the last."""
    replay(FOOTAGE, out, "--model", model, "--engine", "ir-auto-shared", "--fps", "max", "--video", "delivered")
    written = [frame.written for frame in records(out) if frame.written is not None]
    return (len(written) - 1) / (written[-1] - written[0]) * 1e6


def theirs(model: Path, scratch: Path) -> float:
    """Frames a second, from the first result to the last."""
    frames, seconds = json.loads(python(PREDICT, model, FOOTAGE, scratch / "predicted", scratch=scratch))
    return float((frames - 1) / seconds)


def main() -> None:
    """Runs the three in turn and prints the ratios of each round."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    needs(FOOTAGE, COCO_MODEL)
    report = Report()
    coco, street, peer = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        copy(ROOT / "models" / "street" / "model.pt", scratch / "street.pt")
        python(EXPORT, scratch / "street.pt", scratch=scratch)
        for _ in range(options.rounds):
            peer.append(theirs(scratch / "street_openvino_model", scratch))
            coco.append(ours(COCO_MODEL, scratch / "run"))
            street.append(ours("street", scratch / "run"))
            report.say(
                f"Ultralytics {peer[-1]:.1f}  streamer: COCO {coco[-1]:.1f}, the same {street[-1]:.1f} frames/s"
            )
    same = [a / b for a, b in zip(street, peer, strict=True)]
    kind = [a / b for a, b in zip(coco, peer, strict=True)]
    report.say(f"streamer's frames a second, times Ultralytics': with the very same model {spread(same)}")
    report.at_least("frames a second with yolov5n-coco, times Ultralytics'", median(kind), 1.2)
    report.end()


if __name__ == "__main__":
    main()
