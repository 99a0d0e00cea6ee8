"""Notes: sentences to be known before the figures are read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from streamer.detection.layouts.yolo import Classes
from streamer.engines.config import CONVOLUTIONS, PRECISION
from streamer.engines.spec_parser import parse_spec
from streamer.models.model import Model
from streamer.run.notes import of_quantized_onnx
from tests.detectors import model_with, signature
from tests.onnx_weights import write_operators


def model_of(path: Path) -> Model:
    model = model_with(Classes, signature((1, 84, 84), size=(64, 64)), ["person"])
    return replace(model, name=path.stem, path=path, files={"onnx": path})


@pytest.fixture
def quantized(tmp_path: Path) -> Model:
    return model_of(write_operators(tmp_path / "mine.onnx", "DynamicQuantizeLinear", "ConvInteger"))


@pytest.mark.parametrize("precision", ["bf16", "f16"])
@pytest.mark.parametrize("engine", ["onnx", "ir", "ir-auto-shared"])
def test_a_quantized_onnx_in_fewer_digits_names_the_engine_that_has_more(
    engine: str, precision: str, quantized: Model
) -> None:
    (note,) = of_quantized_onnx(parse_spec(engine), quantized, {PRECISION: precision}, overflowing=False)
    assert note == (
        f"mine.onnx is quantized, and OpenVINO runs it in {precision} here, in which it may find less, or nothing: "
        f"give --engine {engine},precision=f32"
    )


def test_sums_of_bytes_that_may_overflow_are_reported(quantized: Model) -> None:
    effective = {PRECISION: "f32", CONVOLUTIONS: "3 f32, 60 i8"}
    (note,) = of_quantized_onnx(parse_spec("ir"), quantized, effective, overflowing=True)
    assert note.startswith(
        "mine.onnx is quantized, and this CPU has no VNNI: OpenVINO runs 60 convolutions in 8 bits"
    )
    assert of_quantized_onnx(parse_spec("ir"), quantized, effective, overflowing=False) == []
    effective[PRECISION] = "bf16"
    assert len(of_quantized_onnx(parse_spec("ir"), quantized, effective, overflowing=True)) == 2


def test_nothing_is_reported_where_nothing_is_lost(quantized: Model, tmp_path: Path) -> None:
    few = {PRECISION: "bf16", CONVOLUTIONS: "60 i8"}
    exact = {PRECISION: "f32", CONVOLUTIONS: "64 f32"}
    plain = model_of(write_operators(tmp_path / "plain.onnx", "Conv"))
    own_ir = replace(quantized, files={**quantized.files, "ir": tmp_path / "mine.xml"})
    assert of_quantized_onnx(parse_spec("onnx"), quantized, exact, overflowing=True) == []
    assert of_quantized_onnx(parse_spec("onnx"), plain, few, overflowing=True) == []
    assert of_quantized_onnx(parse_spec("ir"), own_ir, few, overflowing=True) == []
    assert of_quantized_onnx(parse_spec("ir-int8"), quantized, few, overflowing=True) == []
    assert of_quantized_onnx(parse_spec("onnxruntime"), quantized, few, overflowing=True) == []
