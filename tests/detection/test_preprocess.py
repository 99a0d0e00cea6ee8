"""From a frame to the model's input, and the way back for boxes."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.detection.input_spec import Colour, Fit, InputSpec
from streamer.detection.ports import Port, Signature
from streamer.detection.preprocess import Geometry, Preprocess, Preprocessing, geometry, preprocess_for
from streamer.frame import Image
from streamer.models.model import Model

sizes = st.integers(1, 4000)
input_sizes = st.tuples(st.integers(1, 40), st.integers(1, 40)).map(lambda size: (size[0] * 32, size[1] * 32))
corners = st.lists(st.integers(0, 1000).map(lambda n: n / 1000), min_size=4, max_size=4)


def tensor_for(input_size: tuple[int, int]) -> npt.NDArray[np.float32]:
    return np.full((1, 3, *input_size), np.nan, np.float32)


def planes_of(input_size: tuple[int, int]) -> Port:
    return Port("images", (1, 3, *input_size))


def letterboxed(image: Image, input_size: tuple[int, int], fit: Fit = Fit.LETTERBOX) -> npt.NDArray[np.float32]:
    """The model's input for ``image``: 3 x height x width."""
    tensor = tensor_for(input_size)
    Preprocess(planes_of(input_size), input_size, InputSpec(fit=fit))(image, tensor)
    return tensor.reshape(tensor.shape[1:])


def into_input(boxes: npt.NDArray[np.float32], place: Geometry) -> npt.NDArray[np.float32]:
    """Boxes of the frame, as boxes of the model's input: each side scaled on its own, then shifted."""
    across, down = place.scaled_width / place.width, place.scaled_height / place.height
    there = boxes * np.array([across, down, across, down]) + np.array([place.left, place.top] * 2)
    return np.asarray(there, np.float32)


@given(sizes, sizes, input_sizes, st.sampled_from(Fit), corners)
def test_letterbox_and_back_returns_the_original_box(
    width: int, height: int, input_size: tuple[int, int], fit: Fit, shares: list[float]
) -> None:
    (left, right), (top, bottom) = sorted(shares[:2]), sorted(shares[2:])
    place = geometry(width, height, input_size, fit)
    first_x, first_y, last_x, last_y = place.to_source(np.array([[0, 0, *input_size[::-1]]], np.float32))[0]
    across, down = last_x - first_x, last_y - first_y  # what the model sees of it: less than all, where it is cropped
    box = np.array(
        [[first_x + left * across, first_y + top * down, first_x + right * across, first_y + bottom * down]]
    )
    back = place.to_source(into_input(box.astype(np.float32), place))
    a_pixel = max(width / place.scaled_width, height / place.scaled_height)
    # A thin picture that is cropped may be scaled by hundreds: then the boxes' own digits are what is left.
    digits = 8 * np.spacing(np.float32(max(width, height))) if fit is Fit.CROP else 0
    assert np.abs(back - box).max() <= a_pixel / 1000 + digits


@given(sizes, sizes, input_sizes)
def test_a_letterboxed_frame_keeps_its_shape_and_lies_in_the_middle(
    width: int, height: int, input_size: tuple[int, int]
) -> None:
    place = geometry(width, height, input_size, Fit.LETTERBOX)
    right = input_size[1] - place.left - place.scaled_width
    bottom = input_size[0] - place.top - place.scaled_height
    assert min(place.left, place.top, right, bottom) >= 0
    assert abs(place.left - right) <= 1
    assert abs(place.top - bottom) <= 1
    assert place.left + right == 0 or place.top + bottom == 0, "it is smaller than it needs to be"
    scale = min(input_size[1] / width, input_size[0] / height)
    assert abs(place.scaled_width - max(1, width * scale)) <= 0.5
    assert abs(place.scaled_height - max(1, height * scale)) <= 0.5


@settings(max_examples=40)
@given(st.integers(24, 500), st.integers(24, 500), corners)
def test_a_rectangle_found_in_the_input_is_the_one_in_the_picture(
    width: int, height: int, shares: list[float]
) -> None:
    left, right = sorted(round(share * (width - 12)) for share in shares[:2])
    top, bottom = sorted(round(share * (height - 12)) for share in shares[2:])
    box = (left, top, right + 12, bottom + 12)
    image = np.zeros((height, width, 3), np.uint8)
    image[box[1] : box[3], box[0] : box[2]] = 255
    tensor = tensor_for((320, 320))
    place = Preprocess(planes_of((320, 320)), (320, 320), InputSpec())(image, tensor)
    ys, xs = np.nonzero(tensor[0, 1] > 0.5)
    there = np.array([[xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]], np.float32)
    a_pixel = max(width / place.scaled_width, height / place.scaled_height)
    assert np.abs(place.to_source(there) - np.array(box)).max() <= a_pixel + 0.01


def test_boxes_are_clipped_to_the_frame() -> None:
    place = geometry(200, 100, (64, 64), Fit.LETTERBOX)
    back = place.to_source(np.array([[-50, -50, 500, 500]], np.float32))
    assert back.tolist() == [[0, 0, 200, 100]]


def test_padding_is_gray_114_and_only_where_there_is_no_picture() -> None:
    planes = letterboxed(np.full((30, 60, 3), 200, np.uint8), (64, 64))
    assert np.allclose(planes[:, :16], 114 / 255, rtol=0, atol=1e-6)
    assert np.allclose(planes[:, 48:], 114 / 255, rtol=0, atol=1e-6)
    assert np.allclose(planes[:, 16:48], 200 / 255, rtol=0, atol=1e-6)


def test_the_planes_are_red_green_and_blue_from_0_to_1() -> None:
    image = np.empty((64, 64, 3), np.uint8)
    image[:] = 255, 51, 0  # blue, green, red
    planes = letterboxed(image, (64, 64))
    assert planes[:, 32, 32].tolist() == pytest.approx([0, 0.2, 1], abs=1e-6)


def test_a_frame_of_the_inputs_own_size_arrives_pixel_by_pixel() -> None:
    image = np.random.default_rng(1).integers(0, 256, (64, 96, 3), np.uint8)
    planes = letterboxed(image, (64, 96))
    assert np.allclose(planes, image[:, :, ::-1].transpose(2, 0, 1) / 255, rtol=0, atol=1e-6)


def test_stretch_fills_the_whole_input() -> None:
    planes = letterboxed(np.full((30, 90, 3), 200, np.uint8), (64, 64), Fit.STRETCH)
    assert np.allclose(planes, 200 / 255, rtol=0, atol=1e-6)


def test_a_frame_of_another_size_leaves_nothing_of_the_one_before() -> None:
    rng = np.random.default_rng(2)
    shapes = [(90, 30, 3), (30, 90, 3), (64, 64, 3), (1, 300, 3), (90, 30, 3)]
    used, tensor = Preprocess(planes_of((64, 64)), (64, 64), InputSpec()), tensor_for((64, 64))
    for shape in shapes:
        image = rng.integers(0, 256, shape, np.uint8)
        used(image, tensor)
        assert np.array_equal(tensor[0], letterboxed(image, (64, 64)))


def test_the_frame_itself_is_not_changed() -> None:
    image = np.random.default_rng(3).integers(0, 256, (48, 64, 3), np.uint8)
    before = image.copy()
    letterboxed(image, (64, 64))
    assert np.array_equal(image, before)


SHAPES = [(48, 64, 3), (90, 30, 3), (30, 90, 3), (64, 96, 3), (1, 300, 3), (479, 641, 3)]
"""Frames of the input's shape and of others, its own size among them."""


def model_of(port: Port, spec: InputSpec) -> Model:
    """A model that puts out its input, without a file."""
    signature = Signature((port,), (port,), (48, 64))
    path = Path("same.onnx")
    return Model("same", path, {"onnx": path}, {}, signature, "boxes+classes", (), spec, {})


def in_the_graph(port: Port, spec: InputSpec) -> Any:
    """A model that puts out what it would otherwise start with, on the CPU."""
    from streamer.engines.openvino_preprocess import with_preprocessing
    from streamer.vendors.openvino_quiet import ov

    image = ov.opset13.parameter(list(port.shape), np.dtype(port.dtype), "images")
    model = ov.Model([ov.opset13.add(image, ov.opset13.constant(np.zeros((), port.dtype)))], [image], "same")
    prepared = with_preprocessing(model, model_of(port, spec))
    return ov.compile_model(prepared, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})


colours = st.tuples(*[st.floats(0.125, 200, width=32)] * 3)
specs = st.builds(
    InputSpec,
    colour=st.sampled_from(Colour),
    low=st.sampled_from([0.0, -1.0]),
    high=st.sampled_from([1.0, 255.0]),
    mean=st.sampled_from([(0.0, 0.0, 0.0), (127.5, 127.5, 127.5)]) | colours,
    scale=st.sampled_from([(1.0, 1.0, 1.0), (255.0, 255.0, 255.0)]) | colours,
    fit=st.sampled_from(Fit),
    pad=st.integers(0, 255),
)
as_bytes = st.builds(
    InputSpec, colour=st.sampled_from(Colour), high=st.just(255.0), fit=st.sampled_from(Fit), pad=st.integers(0, 255)
)
LAYOUTS = [(1, 3, 48, 64), (3, 48, 64), (1, 48, 64, 3), (48, 64, 3)]
TYPES = ["float32", "float16", "uint8"]


def prepared(port: Port, spec: InputSpec, image: Image) -> npt.NDArray[Any]:
    """The model's input for ``image``, as height x width x 3."""
    shape = tuple(side or 1 for side in port.shape)
    tensor = np.zeros(shape, port.dtype)
    Preprocess(port, (48, 64), spec)(image, tensor)
    return flat(tensor)


def flat(tensor: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A picture in any layout, as height x width x 3."""
    picture: npt.NDArray[Any] = tensor.reshape(tensor.shape[-3:])
    return picture if picture.shape[-1] == 3 else picture.transpose(1, 2, 0)


LEAST_HALF = 2.0**-24
"""The step of the smallest float16 numbers."""


def as_it_should_be(bytes_of: npt.NDArray[np.uint8], spec: InputSpec) -> npt.NDArray[np.float64]:
    """The numbers of a picture that fits already, BGR, worked out one step after the other."""
    colours_in_order = bytes_of[:, :, ::-1] if spec.colour is Colour.RGB else bytes_of
    laid = spec.low + colours_in_order.astype(np.float64) / 255 * (spec.high - spec.low)
    return np.asarray((laid - np.array(spec.mean)) / np.array(spec.scale))


@pytest.mark.parametrize("shape", LAYOUTS)
@settings(max_examples=25, deadline=None)
@given(st.data())
def test_every_layout_and_type_gets_the_numbers_of_the_input_spec(
    shape: tuple[int, ...], data: st.DataObject
) -> None:
    dtype = data.draw(st.sampled_from(TYPES))
    spec = data.draw(as_bytes if dtype == "uint8" else specs)
    image = np.random.default_rng(8).integers(0, 256, (48, 64, 3), np.uint8)
    wanted = as_it_should_be(image, spec)
    found = prepared(Port("images", shape, dtype), spec, image)
    assert found.dtype == dtype
    most = np.abs(wanted).max() + abs(spec.offset).max()
    rtol, least = (1e-3, LEAST_HALF) if dtype == "float16" else (1e-5, 0.0)
    assert np.allclose(found, wanted, rtol=rtol, atol=most * 1e-6 + least)


@pytest.mark.parametrize("shape", LAYOUTS)
@settings(max_examples=12, deadline=None)
@given(st.data())
def test_the_graph_makes_the_same_picture_as_numpy(shape: tuple[int, ...], data: st.DataObject) -> None:
    dtype = data.draw(st.sampled_from(TYPES))
    spec = data.draw(as_bytes if dtype == "uint8" else specs)
    port = Port("images", shape, dtype)
    model, frames = in_the_graph(port, spec), np.zeros((1, 48, 64, 3), np.uint8)
    used = preprocess_for(Preprocessing.GRAPH, port, (48, 64), spec)
    rng = np.random.default_rng(5)
    for size in (*SHAPES, *SHAPES[::-1]):
        image = rng.integers(0, 256, size, np.uint8)
        height, width, _ = image.shape
        assert used(image, frames) == geometry(width, height, (48, 64), spec.fit)
        wanted = prepared(port, spec, image)
        given_to_it = frames if len(shape) == 4 else frames[0]
        found = flat(model([given_to_it])[0]).astype(np.float64)
        most = abs(spec.factor).max() * 255 + abs(spec.offset).max()
        rtol, least = (2e-3, 2 * LEAST_HALF) if dtype == "float16" else (1e-5, 0.0)
        assert np.allclose(found, wanted, rtol=rtol, atol=most * 1e-6 + least), size


def test_a_letterbox_top_left_is_padded_to_the_right_and_below() -> None:
    image = np.full((30, 60, 3), 200, np.uint8)
    wide = prepared(Port("", (1, 3, 48, 64)), InputSpec(fit=Fit.LETTERBOX_TOP_LEFT, high=255, pad=7), image)
    assert (wide[:32] == 200).all()
    assert (wide[32:] == 7).all()
    tall = prepared(
        Port("", (1, 3, 48, 64)),
        InputSpec(fit=Fit.LETTERBOX_TOP_LEFT, high=255, pad=7),
        np.ascontiguousarray(image.transpose(1, 0, 2)),
    )
    assert (tall[:, :24] == 200).all()
    assert (tall[:, 24:] == 7).all()


def test_cropping_takes_the_middle_and_loses_what_is_beside_it() -> None:
    image = np.zeros((48, 128, 3), np.uint8)
    image[:, 32:96] = 200
    found = prepared(Port("", (1, 3, 48, 64)), InputSpec(fit=Fit.CROP, high=255), image)
    assert (found == 200).all()
    place = geometry(128, 48, (48, 64), Fit.CROP)
    assert place.to_source(np.array([[0, 0, 64, 48]], np.float32)).tolist() == [[32, 0, 96, 48]]


def test_for_the_graph_the_frame_arrives_as_the_camera_gave_it() -> None:
    image = np.random.default_rng(6).integers(0, 256, (64, 96, 3), np.uint8)
    tensor = np.zeros((1, 64, 96, 3), np.uint8)
    preprocess_for(Preprocessing.GRAPH, planes_of((64, 96)), (64, 96), InputSpec())(image, tensor)
    assert np.array_equal(tensor[0], image)
    tall = image[:, :32]
    preprocess_for(Preprocessing.GRAPH, planes_of((64, 96)), (64, 96), InputSpec())(tall, tensor)
    assert np.array_equal(tensor[0, :, 32:64], tall)
    assert (tensor[0, :, :32] == 114).all()
    assert (tensor[0, :, 64:] == 114).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_switched_off_it_leaves_the_input_and_still_tells_where_the_frame_would_lie(dtype: type) -> None:
    tensor: npt.NDArray[Any] = np.random.default_rng(7).integers(0, 256, (1, 64, 96, 3)).astype(dtype)
    before = tensor.copy()
    off = preprocess_for(Preprocessing.OFF, planes_of((64, 96)), (64, 96), InputSpec())
    place = off(np.zeros((30, 90, 3), np.uint8), tensor)
    assert np.array_equal(tensor, before)
    assert place == geometry(90, 30, (64, 96), Fit.LETTERBOX)


@pytest.mark.skipif(
    not find_spec("ultralytics"), reason="Ultralytics is not installed: pip install 'streamer[torch]'"
)
@pytest.mark.parametrize("input_size", [(480, 640), (640, 640), (320, 96)])
def test_the_letterbox_is_ultralytics_own_to_the_pixel(input_size: tuple[int, int]) -> None:
    from streamer.vendors.ultralytics_quiet import quiet_ultralytics

    with quiet_ultralytics():
        from ultralytics.data.augment import LetterBox
    theirs = LetterBox(input_size, auto=False, scale_fill=False, scaleup=True)
    rng = np.random.default_rng(4)
    # Sizes that leave an even or an odd rest, shrink or grow, lie across or stand.
    for width, height in (
        (768, 576),
        (1920, 1080),
        (641, 479),
        (333, 77),
        (77, 333),
        (100, 99),
        (37, 50),
        (640, 480),
    ):
        image = rng.integers(0, 256, (height, width, 3), np.uint8)
        expected = theirs(image=image)[:, :, ::-1].transpose(2, 0, 1).astype(np.float32) / 255
        assert np.allclose(letterboxed(image, input_size), expected, rtol=0, atol=1e-6), f"{width}x{height}"
