"""An ONNX file is quantized when it has an operator that quantizes."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamer.models.find import find_model
from streamer.models.quantized_onnx import OPERATORS, is_quantized
from tests.onnx_weights import write_operators
from tests.runs import BUNDLED_MODEL, COCO_MODEL, SHARED, needs_bundled, needs_shared


@pytest.mark.parametrize("operator", sorted(OPERATORS))
def test_one_operator_that_quantizes_is_enough(operator: str, tmp_path: Path) -> None:
    assert is_quantized(write_operators(tmp_path / "mine.onnx", "Conv", operator, "Sigmoid", weights=100_000))


def test_a_file_that_only_resembles_one_is_not_quantized(tmp_path: Path) -> None:
    assert not is_quantized(write_operators(tmp_path / "mine.onnx", "Conv", "NoQuantizeLinear", "Sigmoid"))
    assert not is_quantized(write_operators(tmp_path / "none.onnx"))
    (tmp_path / "text.onnx").write_text("QuantizeLinear" * 100)
    (tmp_path / "zeros.onnx").write_bytes(bytes(10_000_000))
    (tmp_path / "empty.onnx").touch()
    for name in ("text", "zeros", "empty", "absent"):
        assert not is_quantized(tmp_path / f"{name}.onnx")


@needs_bundled
def test_the_bundled_model_is_not_quantized() -> None:
    assert not is_quantized(BUNDLED_MODEL.with_name("model.onnx"))


@needs_shared
def test_real_ones() -> None:
    assert not is_quantized(COCO_MODEL)
    for name in ("yolov8n_int8_onnx", "yolov8n_qdq_onnx"):
        assert is_quantized(SHARED / "models" / name / "yolov8n_int8.onnx")


@needs_shared
def test_the_ir_made_of_one_keeps_its_numbers_as_they_are() -> None:
    from streamer.models.openvino_ir import ensure_ir

    made = ensure_ir(find_model(str(SHARED / "models" / "yolov8n_int8_onnx" / "yolov8n_int8.onnx")))
    assert 'element_type="f32"' in made.read_text()
    assert 'element_type="f16"' not in made.read_text(), "scales of fewer digits change what it finds"
