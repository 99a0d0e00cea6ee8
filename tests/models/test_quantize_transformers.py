"""Quantizing models with attention: what NNCF's usual scheme would destroy is left alone."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from streamer.models.quantize import decoding, is_transformer
from streamer.vendors.openvino_quiet import apply_moc_transformations, ov
from tests.quantized import needs_nncf

op = ov.opset13
WIDTH, TOKENS, CLASSES = 16, 64, 3


def normalised(tokens: Any, name: str, *, decomposed: bool) -> Any:
    """A layer normalisation, as one operation or as exporters of old write it."""
    axes = op.constant(np.array([-1]))
    if not decomposed:
        return op.mvn(tokens, axes, normalize_variance=True, eps=1e-5, eps_mode="inside_sqrt", name=name)
    centred = op.subtract(tokens, op.reduce_mean(tokens, axes, keep_dims=True))
    variance = op.reduce_mean(op.power(centred, op.constant(np.float32(2))), axes, keep_dims=True)
    return op.divide(centred, op.sqrt(op.add(variance, op.constant(np.float32(1e-5)))), name=name)


def linear(tokens: Any, out_of: int, name: str, seed: int) -> Any:
    """A learned layer."""
    weights = np.random.default_rng(seed).normal(size=(WIDTH, out_of)).astype(np.float32) / 4
    return op.matmul(tokens, op.constant(weights), False, False, name=name)


def transformer(*, decomposed: bool = False) -> Any:
    """A detector of patches: a convolution, a block of attention, logits and boxes."""
    images = op.parameter([1, 3, 64, 64], np.float32, "images")
    weights = (np.random.default_rng(0).normal(size=(WIDTH, 3, 8, 8)) / 8).astype(np.float32)
    patches = op.convolution(images, op.constant(weights), [8, 8], [0, 0], [0, 0], [1, 1], name="patches")
    tokens = op.transpose(
        op.reshape(patches, op.constant(np.array([1, WIDTH, TOKENS])), special_zero=False),
        op.constant(np.array([0, 2, 1])),
    )
    before = normalised(tokens, "norm_0", decomposed=decomposed)
    query, key, value = (linear(before, WIDTH, name, seed) for seed, name in enumerate(("query", "key", "value")))
    attention = op.softmax(op.matmul(query, key, False, True, name="scores"), 2)
    mixed = op.matmul(attention, value, False, False, name="mixed")
    tokens = op.add(tokens, linear(mixed, WIDTH, "out", 4), name="residual")
    after = normalised(tokens, "norm_1", decomposed=decomposed)
    logits = linear(after, CLASSES, "classify", 5)
    boxes = op.sigmoid(linear(after, 4, "locate", 6), name="squash")
    logits.output(0).set_names({"logits"})
    boxes.output(0).set_names({"pred_boxes"})
    return ov.Model([logits, boxes], [images], "transformer")


def fused(model: Any) -> Any:
    apply_moc_transformations(model, cf=False)
    return model


@pytest.mark.parametrize("decomposed", [False, True])
def test_a_model_with_layer_normalisations_is_a_transformer(decomposed: bool) -> None:
    assert is_transformer(fused(transformer(decomposed=decomposed)))


def test_normalising_over_an_area_makes_no_transformer() -> None:
    images = op.parameter([1, 3, 64, 64], np.float32, "images")
    node = op.mvn(images, op.constant(np.array([2, 3])), True, 1e-5, "inside_sqrt")
    assert not is_transformer(fused(ov.Model([node], [images], "area")))


def test_what_comes_after_the_last_learned_layer_decodes_and_attention_does_not() -> None:
    names = decoding(fused(transformer()))
    assert "squash" in names
    assert not {"query", "key", "value", "scores", "mixed", "out", "classify", "locate", "norm_1"} & set(names)


@needs_nncf
@pytest.mark.extras
def test_normalisations_and_the_sums_around_them_are_not_quantized(tmp_path: Path) -> None:
    from streamer.models.find import find_model
    from streamer.models.quantize import quantize

    source, target = tmp_path / "small.xml", tmp_path / "int8.xml"
    ov.save_model(transformer(), source)
    rng = np.random.default_rng(7)
    images = [rng.integers(0, 255, (64, 64, 3), np.uint8) for _ in range(8)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NNCF's and those of what it imports
        quantize(source, images, len(images), find_model(str(source)), target)
    made = ov.Core().read_model(target)
    behind = {
        other.get_node().get_type_name()
        for node in made.get_ops()
        if node.get_type_name() == "FakeQuantize"
        for output in node.outputs()
        for other in output.get_target_inputs()
    }
    assert "MatMul" in behind
    assert "MVN" not in behind
