"""A quantized model's original is found by its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamer.models.describe import describe
from streamer.models.siblings import unquantized
from tests.tiny_models import CELLS, raw, write_ir

pytestmark = pytest.mark.extras


@pytest.mark.parametrize(
    ("quantized", "original"),
    [
        ("FP16-INT8/yard.xml", "FP16/yard.xml"),
        ("FP16-INT8/yard.xml", "FP32/yard.xml"),
        ("INT8/yard.xml", "FP32/yard.xml"),
        ("yard_int8.xml", "yard.xml"),
        ("yard-int8.xml", "yard_fp32.xml"),
        ("yard.quant.xml", "yard.xml"),
        ("yard_int8_openvino_model/yard.xml", "yard_openvino_model/yard.xml"),
        ("best_int8_openvino_model/best.xml", "best.onnx"),
    ],
)
def test_it_lies_beside_it_or_in_the_folder_beside(quantized: str, original: str, tmp_path: Path) -> None:
    for name in (quantized, original):
        (tmp_path / name).parent.mkdir(exist_ok=True)
    model, _ = describe(write_ir(tmp_path / quantized, raw(1, 6, CELLS), quantized=True), trust=False)
    assert unquantized(model) is None
    (tmp_path / original).write_bytes(b"")
    (tmp_path / original).with_suffix(".bin").write_bytes(b"")
    assert unquantized(model) == tmp_path / original


def test_a_model_that_is_not_quantized_has_none_and_nor_is_it_its_own(tmp_path: Path) -> None:
    write_ir(tmp_path / "yard.xml", raw(1, 6, CELLS))
    model, _ = describe(write_ir(tmp_path / "yard_int8.xml", raw(1, 6, CELLS)), trust=False)
    assert unquantized(model) is None
    (tmp_path / "FP16").mkdir()
    model, _ = describe(write_ir(tmp_path / "FP16" / "yard.xml", raw(1, 6, CELLS), quantized=True), trust=False)
    assert unquantized(model) is None
