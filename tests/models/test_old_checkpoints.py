"""Checkpoints of PyTorch before 1.6, such as the first releases of YOLOv5, are refused with the mend."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from streamer.errors import ModelError
from streamer.models.checkpoint import look_at

MAGIC = 0x1950A86A20F9469CFC6C
"""MAGIC_NUMBER in torch/serialization.py."""


def test_a_checkpoint_of_the_old_format_is_not_called_damaged(tmp_path: Path) -> None:
    path = tmp_path / "yolov5s.pt"
    path.write_bytes(b"".join(pickle.dumps(part, protocol=2) for part in (MAGIC, 1001, {"little_endian": True})))
    with pytest.raises(ModelError, match=r"yolov5s\.pt is in the format of PyTorch before 1\.6, .*: export"):
        look_at(path)
    path.write_bytes(path.read_bytes()[:5])
    with pytest.raises(ModelError, match=r"is not a whole \.pt of PyTorch"):
        look_at(path)
