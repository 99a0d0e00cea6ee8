"""Preprocessing that a model has inside already is not done a second time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from streamer.detection.input_spec import Colour, Fit
from streamer.errors import UsageError
from streamer.models.describe import describe
from streamer.models.input_choice import ASSUMED, BY_CONVERSION, BY_EMBEDDED, BY_GRAPH, BY_TYPE
from streamer.models.input_option import as_option, parse_input
from streamer.models.model import Model
from streamer.models.model_info import BY
from tests.tiny_models import CELLS, raw

pytestmark = pytest.mark.extras

Steps = Callable[[Any, Any], Any]


def write(
    tmp_path: Path,
    *,
    dtype: Any = np.float32,
    steps: Steps = lambda op, images: images,
    prepared: Callable[[Any, Any], None] | None = None,
    **rt_info: dict[str, str],
) -> Path:
    """A detector whose graph begins with ``steps``, or with what OpenVINO's PrePostProcessor puts before it."""
    from streamer.vendors.openvino_quiet import ov

    op = ov.opset13
    images = op.parameter([1, 3, 64, 64], dtype, "images")
    first = op.convolution(
        steps(op, images), op.constant(np.ones((1, 3, 1, 1), np.float32)), [1, 1], [0, 0], [0, 0], [1, 1]
    )
    black = op.multiply(op.reduce_max(first, op.constant(np.arange(4)), keep_dims=False), op.constant(np.float32(0)))
    model = ov.Model([op.add(op.constant(raw(1, 6, CELLS)), black)], [images], "tiny")
    if prepared is not None:
        processor = ov.preprocess.PrePostProcessor(model)
        prepared(ov, processor.input(0))
        model = processor.build()
    for section, values in rt_info.items():
        for key, value in values.items():
            model.set_rt_info(value, [section, key])
    ov.save_model(model, tmp_path / "made.xml", compress_to_fp16=True)
    return tmp_path / "made.xml"


def found(path: Path, given: str = "") -> Model:
    return describe(path, trust=False, given=parse_input(given) if given else {})[0]


def of_bytes(ov: Any, frame: Any) -> None:
    """As OpenVINO's documents show it: bytes of a camera, height x width x 3, BGR."""
    frame.tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    frame.tensor().set_color_format(ov.preprocess.ColorFormat.BGR)
    frame.model().set_layout(ov.Layout("NCHW"))
    frame.preprocess().convert_color(ov.preprocess.ColorFormat.RGB)
    frame.preprocess().convert_element_type(ov.Type.f32).scale([255.0, 255.0, 255.0])


def swapped(op: Any, images: Any) -> Any:
    """As exports for cameras begin: the colours in the other order, and bytes over 255."""
    order = op.gather(images, op.constant(np.array([2, 1, 0])), op.constant(1))
    return op.multiply(op.convert(order, np.float32), op.constant(np.float32(1 / 255)))


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize(
    "info", [{}, {"reverse_input_channels": "YES", "scale_values": "255", "resize_type": "standard"}]
)
def test_a_graph_that_swaps_colours_gets_the_others(tmp_path: Path, dtype: Any, info: dict[str, str]) -> None:
    model = found(write(tmp_path, dtype=dtype, steps=swapped, model_info=info))
    assert as_option(model.input).startswith("bgr,range=0..255,")
    assert model.input_by["colour"] == BY_GRAPH
    assert model.input_by["low"] == (BY_TYPE if dtype is np.uint8 else BY_GRAPH)


def test_the_channels_may_be_split_and_joined_for_it(tmp_path: Path) -> None:
    def steps(op: Any, images: Any) -> Any:
        red, green, blue = op.split(images, op.constant(1), 3).outputs()
        return op.concat([blue, green, red], 1)

    assert found(write(tmp_path, steps=steps)).input.colour is Colour.BGR


def test_an_ir_of_bytes_gets_bytes(tmp_path: Path) -> None:
    model = found(write(tmp_path, prepared=of_bytes))
    assert model.signature.picture_port.shape == (1, 64, 64, 3)
    assert as_option(model.input) == "rgb,range=0..255,letterbox,pad=114"
    assert {model.input_by[part] for part in ("low", "high", "mean", "scale")} == {BY_TYPE}
    assert model.input_by["fit"] == ASSUMED


def test_the_origin_of_colours_that_bytes_may_have_lost_is_no_longer_the_makers(tmp_path: Path) -> None:
    info = {"reverse_input_channels": "YES", "scale_values": "255", "resize_type": "fit_to_window_letterbox"}
    model = found(write(tmp_path, prepared=of_bytes, model_info=info))
    assert (model.input.colour, model.input_by["colour"]) == (Colour.RGB, ASSUMED)
    assert model.input_by["fit"] == BY


@pytest.mark.parametrize(
    "steps",
    [
        lambda op, images: op.multiply(images, op.constant(np.float32(1 / 255))),
        lambda op, images: op.divide(images, op.constant(np.full((1, 3, 1, 1), 255, np.float32))),
        lambda op, images: op.divide(
            op.subtract(images, op.constant(np.array([123.7, 116.3, 103.5], np.float32).reshape(1, 3, 1, 1))),
            op.constant(np.array([58.4, 57.1, 57.4], np.float32).reshape(1, 3, 1, 1)),
        ),
    ],
    ids=["multiplied", "divided", "mean and deviation"],
)
def test_a_graph_that_makes_small_numbers_of_bytes_gets_bytes(tmp_path: Path, steps: Steps) -> None:
    model = found(write(tmp_path, steps=steps, model_info={"scale_values": "255"}))
    assert "range=0..255,letterbox" in as_option(model.input).replace("stretch", "letterbox")
    assert model.input_by["scale"] == BY_GRAPH


@pytest.mark.parametrize(
    "steps",
    [
        lambda op, images: op.divide(
            op.subtract(images, op.constant(np.float32(0.45))), op.constant(np.float32(0.225))
        ),
        lambda op, images: op.multiply(images, op.constant(np.float32(2))),
        lambda op, images: op.multiply(images, images),
        lambda op, images: images,
    ],
    ids=["of shares", "twice", "by itself", "at once"],
)
def test_others_get_what_their_kind_takes(tmp_path: Path, steps: Steps) -> None:
    model = found(write(tmp_path, steps=steps))
    assert model.input.high == 1
    assert model.input_by["high"] == ASSUMED


def test_preprocessing_that_model_optimizer_was_given_is_inside(tmp_path: Path) -> None:
    given = {"scale_values": "image[255.0]", "reverse_input_channels": "True", "framework": "onnx"}
    model = found(write(tmp_path, conversion_parameters=given))
    assert as_option(model.input).startswith("bgr,range=0..255,letterbox")
    assert (model.input_by["colour"], model.input_by["low"]) == (BY_CONVERSION, BY_CONVERSION)


def test_parameters_that_it_was_not_given_declare_nothing(tmp_path: Path) -> None:
    given = {"scale_values": "()", "mean_values": "()", "reverse_input_channels": "False", "scale": "None"}
    model = found(write(tmp_path, conversion_parameters=given))
    assert set(model.input_by.values()) == {ASSUMED}


def test_a_model_that_model_api_saved_takes_bytes_as_its_users_have_them(tmp_path: Path) -> None:
    def embedded(ov: Any, frame: Any) -> None:
        frame.tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC")).set_shape([1, -1, -1, 3])
        frame.model().set_layout(ov.Layout("NCHW"))
        frame.preprocess().convert_element_type(ov.Type.f32).resize(ov.preprocess.ResizeAlgorithm.RESIZE_LINEAR)

    info = {
        "embedded_processing": "True",
        "orig_height": "64",
        "orig_width": "64",
        "reverse_input_channels": "True",
        "scale_values": "255",
        "resize_type": "standard",
    }
    model = found(write(tmp_path, prepared=embedded, model_info=info))
    assert model.input_size == (64, 64)
    assert (model.input.colour, model.input_by["colour"]) == (Colour.BGR, BY_EMBEDDED)
    assert (model.input.fit, model.input.high, model.input.scale) == (Fit.STRETCH, 255, (1, 1, 1))


def test_bytes_cannot_be_scaled_by_hand(tmp_path: Path) -> None:
    path = write(tmp_path, prepared=of_bytes)
    with pytest.raises(UsageError, match="takes bytes as they are"):
        found(path, "range=0..1")
    assert found(path, "rgb,range=0..255").input.colour is Colour.RGB
