"""ONNX files and IRs made from .pt files: the engines find them, and they answer as the .pt does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from streamer.detection.layouts.yolo import EndToEnd
from streamer.engines.registry import open_engine
from streamer.engines.spec_parser import parse_spec
from streamer.models.exporting import Form, export
from streamer.models.find import find_model
from streamer.models.importing import import_model
from streamer.models.model import Model
from tests.checkpoints import needs_torch, write_checkpoint

pytestmark = [needs_torch, pytest.mark.skipif(not find_spec("onnx"), reason="the package onnx is not installed")]


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache of these tests' own."""
    with pytest.MonkeyPatch.context() as patch:
        cache = tmp_path_factory.mktemp("cache")
        patch.setenv("STREAMER_CACHE", str(cache))
        yield cache


@pytest.fixture(scope="module", params=["yolo11n", "yolo26n"])
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Model, Path]:
    """A .pt in the store, with its ONNX file; and the folder that the .pt came from."""
    folder = tmp_path_factory.mktemp("checkpoints")
    import_model(write_checkpoint(folder / f"{request.param}.pt", request.param), size=(64, 96), trust=True)
    model = find_model(request.param)
    assert set(model.files) == {"pt"}
    path, new = export(model, Form.ONNX)
    assert new
    assert path.is_file()
    return model, folder


def test_what_was_exported_is_found_and_not_made_again(exported: tuple[Model, Path], cache: Path) -> None:
    model, _ = exported
    found = find_model(model.name)
    path, new = export(found, Form.ONNX)
    assert (path, new) == (found.files["onnx"], False)
    assert path == cache / "onnx" / f"{model.sha256}-64x96" / "model.onnx"
    assert sorted(file.name for file in path.parent.iterdir()) == ["made.json", "model.onnx"]


def test_nothing_is_written_beside_the_checkpoint(exported: tuple[Model, Path]) -> None:
    model, folder = exported
    assert [file.name for file in folder.iterdir()] == [f"{model.name}.pt"]
    assert sorted(file.name for file in model.path.parent.iterdir()) == ["entry.json", f"{model.name}.pt"]


def test_an_exported_model_is_the_same_detector(exported: tuple[Model, Path]) -> None:
    model, _ = exported
    made = find_model(str(find_model(model.name).files["onnx"]))
    for part in ("head", "names", "input_size", "input", "stride"):
        assert getattr(made, part) == getattr(model, part)
    assert [port.shape for port in made.signature.outputs] == [port.shape for port in model.signature.outputs]
    assert not made.dynamic


def test_every_form_answers_as_the_checkpoint_does(exported: tuple[Model, Path]) -> None:
    model, _ = exported
    model = find_model(model.name)
    path, new = export(model, Form.IR)
    assert new
    assert export(model, Form.IR) == (path, False)
    answers = []
    for variant in ("pytorch", "onnx,INFERENCE_PRECISION_HINT=f32", "ir,INFERENCE_PRECISION_HINT=f32"):
        with closing(open_engine(parse_spec(variant), model)) as engine:
            engine.read()
            engine.compile()
            (request, *_) = engine.requests
            request.input[:] = np.random.default_rng(1).random(request.input.shape, np.float32)
            answers.append(request.infer()[0].copy())
    reference, *others = answers
    for answer in others:
        if model.head == EndToEnd.name:
            # Untrained, all rows are as good: their order hangs on the last digits, their confidences do not.
            assert np.allclose(np.sort(answer[0, :, 4]), np.sort(reference[0, :, 4]), atol=1e-4)
        else:
            assert np.allclose(answer, reference, rtol=1e-2, atol=0.2)


def test_an_export_that_was_broken_is_made_again(exported: tuple[Model, Path]) -> None:
    model, _ = exported
    path = find_model(model.name).files["onnx"]
    path.write_bytes(path.read_bytes()[:-1])
    found = find_model(model.name)
    assert "onnx" not in found.files
    assert export(found, Form.ONNX) == (path, True)
    assert "onnx" in find_model(model.name).files
