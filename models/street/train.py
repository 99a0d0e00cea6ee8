"""Train YOLOv5n from scratch on the synthetic street: `python models/street/train.py --work DIR`.

Frames are rendered once into DIR; most of the time goes to crops at their native scale, the rest to whole frames. The
schedule follows the clock, so a slower machine makes fewer steps, not a longer run. Writes DIR/last.pt as it goes and
model.pt at the end; evaluate.py makes model.onnx and metadata.json of it.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from copy import deepcopy
from datetime import UTC, datetime
from math import cos, pi
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent.parent)]
os.environ.update(YOLO_OFFLINE="true", YOLO_AUTOINSTALL="false")

import numpy as np  # noqa: E402

from samples import FRAMES_PER_STREET, HEIGHT, WIDTH, Batches, render_all  # noqa: E402


def train(options: argparse.Namespace) -> tuple[Any, dict[str, Any]]:
    """Both phases; returns the averaged model and what was done."""
    import torch
    from torch.utils.data import DataLoader
    from ultralytics.cfg import get_cfg
    from ultralytics.nn.tasks import DetectionModel
    from ultralytics.utils.torch_utils import ModelEMA

    torch.manual_seed(0)
    model = DetectionModel("yolov5n.yaml", nc=80, verbose=False).to(memory_format=torch.channels_last)
    model.args = get_cfg()
    model.train()
    optimizer = make_optimizer(model)
    ema = ModelEMA(model, decay=0.999, tau=400)
    phases = [("crops", options.crop_minutes, 16, options.crop), ("frames", options.frame_minutes, 8, 0)]
    whole, begun, until, step = 60 * sum(phase[1] for phase in phases), time.monotonic(), 0.0, 0
    done: list[dict[str, Any]] = []
    for seed, (name, minutes, size, side) in enumerate(phases):
        until += 60 * minutes
        first, saved = step, time.monotonic()
        losses: list[list[float]] = []
        stream = Batches(options.work, size, side, seed + 1)
        loader = iter(DataLoader(stream, batch_size=None, num_workers=1, prefetch_factor=4))
        while (spent := time.monotonic() - begun) < until:
            images, rows = next(loader)
            rate = options.rate * min(1.0, (step + 1) / 300) * (0.01 + 0.99 * (1 + cos(pi * spent / whole)) / 2)
            losses.append(learn(model, optimizer, rate, images, rows))
            ema.update(model)
            step += 1
            if step % 100 == 0:
                mean = np.round(np.mean(losses[-100:], axis=0), 3)
                print(f"{name} step {step} {spent / 60:.1f} min rate {rate:.5f} losses {mean}", flush=True)
            if time.monotonic() - saved > 240:
                saved = time.monotonic()
                save(ema.ema, options.work / "last.pt", {})
        area = [side, side] if side else [HEIGHT, WIDTH]
        done.append({"name": name, "minutes": minutes, "batch": size, "size": area, "steps": step - first})
        save(ema.ema, options.work / f"{name}.pt", {})
    training = {
        "phases": done, "optimizer": "AdamW", "rate": options.rate, "precision": "bfloat16 autocast",
        "streets": options.streets, "frames_per_street": FRAMES_PER_STREET,
    }  # fmt: skip
    return ema.ema, training


def make_optimizer(model: Any) -> Any:
    """AdamW with decay for the weights proper, none for biases and normalisation."""
    import torch

    decayed = [p for p in model.parameters() if p.ndim > 1]
    plain = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, betas=(0.9, 0.99))


def learn(model: Any, optimizer: Any, rate: float, images: Any, rows: Any) -> list[float]:
    """One step on a batch (n, h, w, 3) of BGR images; returns the parts of its loss (box, class, distance)."""
    import torch

    for group in optimizer.param_groups:
        group["lr"] = rate
    pixels = images.flip(-1).permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last).float() / 255
    batch = {"img": pixels, "batch_idx": rows[:, 0], "cls": rows[:, 1:2], "bboxes": rows[:, 2:]}
    with torch.autocast("cpu", torch.bfloat16):
        predicted = model(pixels)
    # Eight bits of mantissa are enough for the layers, not for where a box lies: the loss is in float32.
    loss, parts = model.loss(batch, _widened(predicted))
    loss.sum().backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 10.0)
    optimizer.step()
    optimizer.zero_grad()
    return [float(part) for part in parts.values()]


def _widened(predicted: Any) -> Any:
    """The same nest of tensors in float32."""
    if isinstance(predicted, dict):
        return {name: _widened(value) for name, value in predicted.items()}
    if isinstance(predicted, list | tuple):
        return type(predicted)(_widened(value) for value in predicted)
    return predicted.float()


def save(model: Any, path: Path, training: dict[str, Any]) -> None:
    """An Ultralytics checkpoint: the averaged model in half precision, no optimizer, nothing of this machine."""
    import torch
    from ultralytics import __version__

    copy = deepcopy(model).half().to(memory_format=torch.contiguous_format).eval()
    arguments = {"task": "detect", "imgsz": WIDTH, "single_cls": False}
    copy.args, copy.criterion, copy.names = arguments, None, coco_names()
    copy.yaml["yaml_file"] = "yolov5n.yaml"
    for parameter in copy.parameters():
        parameter.requires_grad = False
    checkpoint = {
        "model": copy, "ema": None, "optimizer": None, "epoch": -1, "best_fitness": None, "updates": None,
        "train_args": arguments, "training": training, "version": __version__,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "license": "AGPL-3.0 License (https://ultralytics.com/license)", "docs": "https://docs.ultralytics.com",
    }  # fmt: skip
    scratch = path.with_suffix(".part")
    torch.save(checkpoint, scratch)
    scratch.replace(path)


def coco_names() -> dict[int, str]:
    """COCO's 80 class names by index."""
    from ultralytics.cfg import YAML
    from ultralytics.utils import ROOT

    return {int(index): str(name) for index, name in YAML.load(ROOT / "cfg/datasets/coco.yaml")["names"].items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="a directory for frames and checkpoints (8 GB)")
    parser.add_argument("--out", type=Path, help="where model.pt goes (default: the work directory)")
    parser.add_argument("--streets", type=int, default=1600, help="streets to render, 5 frames each")
    parser.add_argument("--crop", type=int, default=320, help="side of the crops in pixels")
    parser.add_argument("--crop-minutes", type=float, default=22.0)
    parser.add_argument("--frame-minutes", type=float, default=28.0)
    parser.add_argument("--rate", type=float, default=2e-3, help="the highest learning rate")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    os.environ["YOLO_CONFIG_DIR"] = str(options.work)
    render_all(options.work, options.streets)
    model, training = train(options)
    save(model, (options.out or options.work) / "model.pt", training)


if __name__ == "__main__":
    main()
