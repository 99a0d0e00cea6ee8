"""INT8 forms of the suite's models: made once per session, in the tests' own cache, where there is none yet."""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from streamer.files.bundled import bundled
from streamer.models.find import with_made
from streamer.models.model import Model

FRAMES = 45
"""Enough to calibrate for a test; the command takes 300 by default."""

needs_nncf = pytest.mark.skipif(
    not find_spec("nncf"), reason="NNCF is not installed: pip install 'streamer[quantize]'"
)


def clip_of_the_street() -> Path:
    """The bundled clip."""
    return bundled("samples") / "street.mp4"


def quantized(model: Model, source: Path) -> Model:
    """The model with its INT8 file, whatever its agreement; skips where that has to be made and NNCF is missing."""
    if "int8" in model.files:
        return model
    if not find_spec("nncf"):
        pytest.skip("NNCF is not installed: pip install 'streamer[quantize]'")
    from streamer.studies.quantize.study import quantize_model

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NNCF's and those of what it imports
        quantize_model(model, str(source), samples=FRAMES, min_agreement=0, advance=lambda doing: None)
    made = with_made(model)
    assert "int8" in made.files
    return made


def write_learned(path: Path, *, fragile: bool = False, surest: float = 0.9) -> Path:
    """A detector with the tiny model's two objects whose certainty goes through three convolutions; as IR.

    Their activation is written as exporters write it, x and sigmoid(x). A ``fragile`` one is sure or not by digits
    that are lost in 8 bits. ``surest`` is the confidence that bright pictures come near to.
    """
    from streamer.vendors.openvino_quiet import ov

    op = ov.opset13
    images = op.parameter([1, 3, 64, 64], np.float32, "images")
    node = images
    rng = np.random.default_rng(1)
    for number, (into, out_of) in enumerate(((3, 16), (16, 16), (16, 8))):
        weights = rng.uniform(0.5, 1.5, (out_of, into, 3, 3)).astype(np.float32) / (into * 9)
        node = op.convolution(node, op.constant(weights), [2, 2], [1, 1], [1, 1], [1, 1], name=f"learned_{number}")
        if number < 2:
            node = op.multiply(node, op.sigmoid(node, name=f"gate_{number}"))
    certainty = op.reduce_mean(node, op.constant(np.array([1, 2, 3])), keep_dims=False)
    if fragile:
        certainty = op.abs(op.sin(op.multiply(certainty, op.constant(np.float32(20_000)))))
    else:
        certainty = op.sigmoid(op.multiply(certainty, op.constant(np.float32(10))))
    answer = np.zeros((1, 6, 84), np.float32)
    answer[0, :, 10] = 20, 20, 16, 16, surest, 0
    answer[0, :, 40] = 44, 40, 20, 24, 0, surest
    boxes, scores = op.constant(answer[:, :4]), op.constant(answer[:, 4:])
    scaled = op.multiply(scores, op.reshape(certainty, op.constant(np.array([1, 1, 1])), special_zero=False))
    model = ov.Model([op.concat([boxes, scaled], 1)], [images], "learned")
    model.set_rt_info("person car", ["model_info", "labels"])
    ov.save_model(model, path, compress_to_fp16=False)
    return path
