"""Writes checkpoints of Ultralytics' with random weights; only where PyTorch is installed."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

needs_torch = pytest.mark.skipif(
    not (find_spec("torch") and find_spec("ultralytics")),
    reason="PyTorch or Ultralytics is not installed: pip install 'streamer[torch]'",
)


def write_checkpoint(path: Path, architecture: str, task: str = "detect", **more: Any) -> Path:
    """Writes a .pt as Ultralytics does; ``more`` are entries beside the network."""
    import torch

    from streamer.vendors.ultralytics_quiet import quiet_ultralytics

    with quiet_ultralytics() as ultralytics:
        network = ultralytics.YOLO(f"{architecture}.yaml", task=task).model
        torch.save({"model": network.half(), "train_args": {"imgsz": 64, "task": task}, **more}, path)
    return path
