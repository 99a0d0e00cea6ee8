"""Detectors are found with their facts; other files are refused with the reason."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from streamer.detection.class_names import label_of
from streamer.detection.layouts.yolo import Classes, EndToEnd, Objectness
from streamer.errors import ModelError, UsageError
from streamer.files.hashing import sha256
from streamer.models.coco_names import COCO_NAMES
from streamer.models.describe import describe
from streamer.models.files import model_sha256
from streamer.models.find import find_model
from tests.runs import COCO_MODEL, INT8_MODEL, needs_bundled, needs_shared
from tests.tiny_models import CELLS, chosen, raw, write_any_size, write_ir

pytestmark = pytest.mark.extras

NAMES = {0: "person", 1: "traffic light"}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of this test's own."""
    monkeypatch.setenv("STREAMER_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def refusal(path: Path) -> str:
    """The reason why a model is refused."""
    with pytest.raises(ModelError) as refused:
        find_model(str(path))
    assert path.name in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize("task", ["obb", "classify"])
def test_a_model_for_another_task_is_refused_with_the_task(task: str, tmp_path: Path) -> None:
    path = write_ir(tmp_path / "other.xml", raw(1, 6, CELLS), metadata={"task": task})
    assert f"is not a detector but a model for {task}" in refusal(path)


def test_a_task_in_the_metadata_file_beside_counts_too(tmp_path: Path) -> None:
    path = write_ir(tmp_path / "other.xml", raw(1, 6, CELLS))
    (tmp_path / "metadata.yaml").write_text("task: obb\n")
    assert "a model for obb" in refusal(path)


@pytest.mark.parametrize(
    ("outputs", "more", "says"),
    [
        ([raw(1, 1000)], {}, "but a classifier"),
        ([raw(1, 6, CELLS)], {"image": (1, 16000)}, "takes no images"),
        ([raw(1, 6, CELLS)], {"image": (1, 1, 64, 64)}, "takes no images"),
        ([raw(1, 6, CELLS)], {"image": (4, 3, 64, 64)}, "takes 4 images at a time: export it again with batch=1"),
        ([raw(1, 6, CELLS)], {"dtype": np.float64}, "export it in float32"),
        ([raw(1, 6, CELLS).astype(np.float64)], {}, "export it in float32"),
        ([raw(1, 6, 83)], {}, "with rows and columns exchanged: export it again as its maker does"),
    ],
)
def test_a_model_that_is_no_detector_is_refused_with_the_reason(
    outputs: list[Any], more: dict[str, Any], says: str, tmp_path: Path
) -> None:
    assert says in refusal(write_ir(tmp_path / "other.xml", *outputs, **more))


@pytest.mark.parametrize(
    ("image", "dtype"),
    [
        ((1, 3, 64, 64), np.float16),
        ((1, 3, 64, 64), np.uint8),
        ((1, 64, 64, 3), np.float32),
        ((1, 64, 64, 3), np.uint8),
        ((3, 64, 64), np.float32),
        ((64, 64, 3), np.uint8),
    ],
)
@pytest.mark.parametrize("answer", [np.float32, np.float16])
def test_pictures_go_in_and_boxes_come_out_in_any_layout_and_type(
    image: tuple[int, ...], dtype: Any, answer: Any, tmp_path: Path
) -> None:
    path = write_ir(tmp_path / "other.xml", raw(1, 6, CELLS).astype(answer), image=image, dtype=dtype)
    model = find_model(str(path))
    assert (model.head, model.input_size) == (Classes.name, (64, 64))
    assert (model.signature.picture_port.shape, model.signature.picture_port.dtype) == (image, np.dtype(dtype).name)
    assert model.signature.outputs[0].dtype == np.dtype(answer).name
    # Bytes go in as they are: what takes them scales them itself.
    assert (model.input.low, model.input.high) == (0, 255 if dtype is np.uint8 else 1)


def test_a_model_for_segmentation_is_a_detector_of_its_boxes_and_says_so(tmp_path: Path) -> None:
    model = find_model(str(write_ir(tmp_path / "seg.xml", raw(1, 38, CELLS), raw(1, 32, 16, 16))))
    assert (model.head, model.names) == (Classes.name, ("class_0", "class_1"))
    assert model.decoder().notes() == [
        "it is a model for segmentation and runs as a detector of its boxes; its masks are left out"
    ]


def test_names_that_do_not_fit_the_output_are_refused_and_not_replaced(tmp_path: Path) -> None:
    # As of a pose model without its task: a box, a class, and 17 points of three numbers.
    path = write_ir(tmp_path / "pose.xml", raw(1, 56, CELLS), metadata={"names": {0: "person"}})
    assert "puts out 52 classes and its metadata, or the metadata.yaml beside it, names 1" in refusal(path)


@pytest.mark.parametrize(("classes", "names"), [(80, COCO_NAMES), (3, ("class_0", "class_1", "class_2"))])
def test_without_names_there_are_cocos_or_numbers(classes: int, names: tuple[str, ...], tmp_path: Path) -> None:
    assert find_model(str(write_ir(tmp_path / "bare.xml", raw(1, 4 + classes, CELLS)))).names == names


def test_a_model_of_the_older_layout_is_known_by_its_metadata(tmp_path: Path) -> None:
    metadata = {"names": NAMES, "task": "detect", "stride": 32}
    model = find_model(str(write_ir(tmp_path / "v5.xml", raw(1, 3 * CELLS, 7), metadata=metadata)))
    assert (model.head, model.names, model.stride) == (Objectness.name, ("person", "traffic light"), 32)
    assert (model.input_size, model.dynamic, set(model.files)) == ((64, 64), False, {"ir"})


def test_names_with_spaces_come_from_the_metadata_beside_an_ir(tmp_path: Path) -> None:
    path = write_ir(tmp_path / "best.xml", raw(1, 6, CELLS), labels="no_helmet traffic_light")
    assert find_model(str(path)).names == ("no helmet", "traffic light")
    (tmp_path / "metadata.yaml").write_text("stride: 32\nnames:\n  0: no_helmet\n  1: traffic light\n")
    model = find_model(str(path))
    assert (model.names, model.stride) == (("no_helmet", "traffic light"), 32)


def test_metadata_of_another_model_in_the_same_folder_changes_nothing(tmp_path: Path) -> None:
    path = write_ir(tmp_path / "best.xml", raw(1, 6, CELLS), labels="no_helmet traffic_light")
    (tmp_path / "metadata.yaml").write_text("stride: 64\nnames: [a, b, c]\n")
    model = find_model(str(path))
    assert (model.names, model.stride) == (("no helmet", "traffic light"), None)


@pytest.mark.parametrize(
    "written",
    ["['a b', 'c']", '["a b", "c"]', '{"0": "a b", "1": "c"}', "{0: 'a b', 1: 'c'}", '{"1": "c", "0": "a b"}'],
)
def test_names_are_read_as_python_and_as_json_write_them(written: str, tmp_path: Path) -> None:
    path = write_ir(tmp_path / "best.xml", raw(1, 6, CELLS), metadata={"names": written})
    assert find_model(str(path)).names == ("a b", "c")


@pytest.mark.parametrize("written", ["a b, c", "{'a b': 0, 'c': 1}", '{"1": "a b", "2": "c"}', "['a b', ['c']]", "5"])
def test_names_that_cannot_be_read_are_an_error_and_not_replaced(written: str, tmp_path: Path) -> None:
    path = write_ir(tmp_path / "best.xml", raw(1, 84, CELLS), metadata={"names": written})
    with pytest.raises(ModelError, match=r"best\.xml: .* has class names that cannot be read, .*--names FILE"):
        find_model(str(path))
    assert len(describe(path, trust=False, names=COCO_NAMES)[0].names) == 80


@pytest.mark.parametrize("written", ["names: [", "names: 5\nstride: 32\n"])
def test_so_are_those_in_the_metadata_beside(written: str, tmp_path: Path) -> None:
    path = write_ir(tmp_path / "best.xml", raw(1, 6, CELLS))
    (tmp_path / "metadata.yaml").write_text(written)
    with pytest.raises(ModelError, match="class names that cannot be read"):
        find_model(str(path))


@pytest.mark.parametrize("written", ["- a list", "\x00", "stride: wide\nimgsz: [a]\n"])
def test_metadata_that_makes_no_sense_is_left_out(written: str, tmp_path: Path) -> None:
    path = write_ir(tmp_path / "best.xml", raw(1, 6, CELLS))
    (tmp_path / "metadata.yaml").write_text(written)
    assert find_model(str(path)).names == ("class_0", "class_1")


def test_an_end_to_end_head_takes_its_classes_from_the_names(tmp_path: Path) -> None:
    answer = chosen(300, (1, 2, 3, 4, 0.5, 1))
    model = find_model(str(write_ir(tmp_path / "v10.xml", answer, metadata={"names": NAMES})))
    assert (model.head, model.names) == (EndToEnd.name, ("person", "traffic light"))


def test_an_end_to_end_head_without_names_is_a_detector_of_numbered_classes(tmp_path: Path) -> None:
    model = find_model(str(write_ir(tmp_path / "v10.xml", chosen(300, (1, 2, 3, 4, 0.5, 7)))))
    assert (model.head, model.names, model.classes) == (EndToEnd.name, (), None)
    assert label_of(model.names, 7) == "class_7"


def test_an_end_to_end_head_with_too_few_names_is_refused_before_it_runs(tmp_path: Path) -> None:
    path = write_ir(tmp_path / "v10.xml", chosen(300, (1, 2, 3, 4, 0.5, 7)), metadata={"names": NAMES})
    assert "detects class 7 and has names for 2" in refusal(path)


def test_six_columns_that_end_in_no_class_number_are_no_end_to_end_head(tmp_path: Path) -> None:
    # As an RT-DETR of two classes puts out: box and two scores.
    path = write_ir(tmp_path / "rtdetr.xml", chosen(300, (1, 2, 3, 4, 0.5, 0.25)), metadata={"names": NAMES})
    assert "its last column holds no class numbers" in refusal(path)


@pytest.mark.parametrize(
    ("metadata", "size"),
    [({}, (640, 640)), ({"imgsz": "[64, 96]", "stride": 32}, (64, 96)), ({"imgsz": 320}, (320, 320))],
)
def test_a_model_of_any_size_gets_its_own_or_640(
    metadata: dict[str, Any], size: tuple[int, int], tmp_path: Path
) -> None:
    model = find_model(str(write_any_size(tmp_path / "any.xml", metadata)))
    assert (model.input_size, model.dynamic, model.head) == (size, True, Classes.name)
    assert model.signature.outputs[0].shape == (1, 6, sum(size[0] // n * (size[1] // n) for n in (8, 16, 32)))
    assert model.key("ir") == (model.sha256, size)


def test_the_hash_of_an_ir_covers_its_weights(tiny_model: Path, tmp_path: Path) -> None:
    for part in (tiny_model, tiny_model.with_suffix(".bin")):
        shutil.copy(part, tmp_path)
    path = tmp_path / tiny_model.name
    before = find_model(str(path)).sha256
    assert before == sha256(path, path.with_suffix(".bin")) == model_sha256(path)
    with path.with_suffix(".bin").open("ab") as weights:
        weights.write(b"\0")
    assert model_sha256(path) != before


def test_an_ir_without_its_weights_says_what_is_missing(tiny_model: Path, tmp_path: Path) -> None:
    shutil.copy(tiny_model, tmp_path / "alone.xml")
    assert "has no weights: put alone.bin beside it" in refusal(tmp_path / "alone.xml")


def test_a_quantized_ir_serves_as_both_kinds(tmp_path: Path) -> None:
    path = write_ir(tmp_path / "best.xml", raw(1, 6, CELLS), quantized=True)
    model = find_model(str(path))
    assert model.files == {"ir": path, "int8": path}
    assert model.hashes["int8"] == model.hashes["ir"] == model.sha256


@needs_shared
def test_models_made_by_others_are_known() -> None:
    legacy, quantized = find_model(str(COCO_MODEL)), find_model(str(INT8_MODEL))
    assert (legacy.head, legacy.input_size, legacy.names, set(legacy.files)) == (
        Objectness.name,
        (480, 640),
        COCO_NAMES,
        {"onnx"},
    )
    assert (quantized.head, quantized.input_size, quantized.names, quantized.stride) == (
        Classes.name,
        (640, 640),
        COCO_NAMES,
        32,
    )
    assert set(quantized.files) == {"ir", "int8"}


@needs_bundled
def test_the_bundled_model_is_found_by_its_name_and_without_one() -> None:
    model = find_model("street")
    assert model == find_model(None)
    assert model.bundled
    assert {"pt", "onnx"} <= set(model.files)
    assert model.hashes["onnx"] == sha256(model.path)


def test_an_unknown_name_is_a_usage_error_that_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"no such model: stret; did you mean street\? give 'street' or the path of"):
        find_model("stret")


def test_a_name_that_can_be_pulled_is_no_model_yet_and_says_how_to_get_it() -> None:
    with pytest.raises(UsageError, match="no such model: yolo11n; streamer models pull yolo11n fetches it"):
        find_model("yolo11n")
