"""Checkpoints for segmentation and poses run as detectors of their boxes, and answer as their ONNX files do."""

from __future__ import annotations

from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from streamer.engines.registry import open_engine
from streamer.engines.spec_parser import parse_spec
from streamer.errors import ModelError
from streamer.models.exporting import Form, export
from streamer.models.find import find_model
from streamer.models.importing import import_model
from tests.checkpoints import needs_torch, write_checkpoint

pytestmark = [needs_torch, pytest.mark.skipif(not find_spec("onnx"), reason="the package onnx is not installed")]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("architecture", "task", "head", "shapes"),
    [
        ("yolo11n-seg", "segment", "boxes+classes", [(1, 116, 84), (1, 32, 16, 16)]),
        ("yolo11n-pose", "pose", "boxes+classes+more", [(1, 135, 84)]),
        ("yolo26n-pose", "pose", "boxes+confidence+class", [(1, 84, 57)]),
    ],
)
def test_a_checkpoint_for_more_than_boxes_runs_as_its_export_does(
    architecture: str,
    task: str,
    head: str,
    shapes: list[tuple[int, ...]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STREAMER_CACHE", str(tmp_path / "cache"))
    import_model(write_checkpoint(tmp_path / "mine.pt", architecture, task), trust=True)
    model = find_model("mine")
    assert (model.head, len(model.names)) == (head, 80)
    assert [port.shape for port in model.signature.outputs] == shapes
    assert "runs as a detector" in model.decoder().notes()[0]
    try:
        path, _ = export(model, Form.ONNX)
    except ModelError as error:
        # Ultralytics 8.4.190 gathers columns of end-to-end poses in a form that OpenVINO 2026.4.1 does not take.
        if "GatherElements" not in str(error.__cause__) or architecture != "yolo26n-pose":
            raise
        pytest.skip(f"this OpenVINO does not run what this Ultralytics exports: {error}")
    assert find_model(str(path)).head == head
    answers = []
    for name in ("pytorch", "onnx,precision=f32"):
        engine = open_engine(parse_spec(name), find_model("mine"))
        with closing(engine):
            engine.read()
            engine.compile()
            answers.append([output.copy() for output in engine.requests[0].infer()])
    assert [[output.shape for output in answer] for answer in answers] == [shapes, shapes]
    # Random weights score all alike: which of the boxes are chosen is left to chance.
    ours, theirs = map(model.decoder().scores, answers)
    assert np.allclose(ours, theirs, atol=1e-4)
