"""From a frame to the model's input, and the way back for boxes."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.detection.preprocess import Fit, Geometry, Preprocess, Preprocessing, geometry, preprocess_for
from streamer.frame import Image

sizes = st.integers(1, 4000)
input_sizes = st.tuples(st.integers(1, 40), st.integers(1, 40)).map(lambda size: (size[0] * 32, size[1] * 32))
corners = st.lists(st.integers(0, 1000).map(lambda n: n / 1000), min_size=4, max_size=4)


def tensor_for(input_size: tuple[int, int]) -> npt.NDArray[np.float32]:
    return np.full((1, 3, *input_size), np.nan, np.float32)


def letterboxed(image: Image, input_size: tuple[int, int], fit: Fit = Fit.LETTERBOX) -> npt.NDArray[np.float32]:
    """What the model gets of ``image``: 3 x height x width."""
    tensor = tensor_for(input_size)
    Preprocess(input_size, fit)(image, tensor)
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
    box = np.array([[left * width, top * height, right * width, bottom * height]], np.float32)
    place = geometry(width, height, input_size, fit)
    back = place.to_source(into_input(box, place))
    a_pixel = max(width / place.scaled_width, height / place.scaled_height)
    assert np.abs(back - box).max() <= a_pixel / 1000


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
    place = Preprocess((320, 320), Fit.LETTERBOX)(image, tensor)
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
    used, tensor = Preprocess((64, 64), Fit.LETTERBOX), tensor_for((64, 64))
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


def in_the_graph(input_size: tuple[int, int]) -> Any:
    """A model that puts out what it would otherwise start with, on the CPU."""
    from streamer.engines.openvino_preprocess import with_preprocessing
    from streamer.vendors.openvino_quiet import ov

    image = ov.opset13.parameter([1, 3, *input_size], np.float32, "images")
    model = ov.Model([ov.opset13.relu(image)], [image], "same")
    return ov.compile_model(with_preprocessing(model), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})


@pytest.mark.parametrize("fit", Fit)
def test_the_graph_makes_the_same_picture_as_numpy(fit: Fit) -> None:
    size = (64, 96)
    model = in_the_graph(size)
    frames = np.full((1, *size, 3), 114, np.uint8)
    used = preprocess_for(Preprocessing.GRAPH, size, fit)
    rng = np.random.default_rng(5)
    for shape in (*SHAPES, *SHAPES[::-1]):
        image = rng.integers(0, 256, shape, np.uint8)
        place = used(image, frames)
        assert place == geometry(shape[1], shape[0], size, fit)
        assert np.allclose(model([frames])[0][0], letterboxed(image, size, fit), rtol=0, atol=1e-6), shape


def test_for_the_graph_the_frame_arrives_as_the_camera_gave_it() -> None:
    image = np.random.default_rng(6).integers(0, 256, (64, 96, 3), np.uint8)
    tensor = np.zeros((1, 64, 96, 3), np.uint8)
    preprocess_for(Preprocessing.GRAPH, (64, 96), Fit.LETTERBOX)(image, tensor)
    assert np.array_equal(tensor[0], image)
    tall = image[:, :32]
    preprocess_for(Preprocessing.GRAPH, (64, 96), Fit.LETTERBOX)(tall, tensor)
    assert np.array_equal(tensor[0, :, 32:64], tall)
    assert (tensor[0, :, :32] == 114).all()
    assert (tensor[0, :, 64:] == 114).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_switched_off_it_leaves_the_input_and_still_tells_where_the_frame_would_lie(dtype: type) -> None:
    tensor: npt.NDArray[Any] = np.random.default_rng(7).integers(0, 256, (1, 64, 96, 3)).astype(dtype)
    before = tensor.copy()
    place = preprocess_for(Preprocessing.OFF, (64, 96), Fit.LETTERBOX)(np.zeros((30, 90, 3), np.uint8), tensor)
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
