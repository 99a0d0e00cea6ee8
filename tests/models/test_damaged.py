"""Damaged models are reported when they are imported and in their runs; sound ones are not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from streamer.errors import ModelError
from streamer.models.find import find_model
from tests import runs
from tests.onnx_weights import write_operators
from tests.runs import SHARED, Finished, needs_shared
from tests.tiny_models import CELLS, chosen, raw, write_ir
from tests.videos import write_video

pytestmark = pytest.mark.extras

FOUND = (10, 10, 30, 40, 0.9, 0)


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store of this test's own."""
    monkeypatch.setenv("STREAMER_CACHE", str(tmp_path / "cache"))


Imports = Callable[..., Finished]


@pytest.fixture
def imports(tmp_path: Path) -> Imports:
    """``streamer models import`` in this process."""

    def run(*arguments: str | Path) -> Finished:
        return runs.streamer("models", "import", *arguments, cwd=tmp_path)

    return run


def damaged(path: Path) -> Path:
    """A detector whose scores reach 3."""
    answer = raw(1, 6, CELLS)
    answer[0, :, 0] = (32, 32, 10, 10, 3, 0.2)
    return write_ir(path, answer)


def picture(path: Path) -> Path:
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8))
    return path


def doubts(model: str | Path, tmp_path: Path) -> list[str]:
    """The doubts of a run of a model."""
    if not (tmp_path / "clip.mp4").exists():
        write_video(tmp_path / "clip.mp4", 3)
    out = tmp_path / "run"
    more = ("--engine", "ir", "--video", "none", "--no-chart", "--quiet", "--overwrite", "--out", out)
    done = runs.streamer("replay", "clip.mp4", "--model", model, "--fps", "50", *more, cwd=tmp_path)
    assert done.code in (0, 3), done.err
    found: list[str] = runs.manifest(out)["doubts"]
    return found


def test_a_damaged_model_is_reported_on_import_and_in_its_runs_and_is_used(imports: Imports, tmp_path: Path) -> None:
    done = imports(damaged(tmp_path / "hurt.xml"))
    assert (done.code, done.out.startswith("imported hurt")) == (0, True)
    assert "hurt looks damaged: its scores go from 0 to 3, and scores lie from 0 to 1" in done.error
    assert done.error == imports(tmp_path / "hurt.xml").error, "a second import does not report it"
    reported = [doubt for doubt in doubts("hurt", tmp_path) if "looks damaged" in doubt]
    assert reported == [done.error], "a run does not report it"


def test_a_sound_model_is_not_accused_and_one_that_finds_nothing_gets_a_note(
    imports: Imports, tmp_path: Path
) -> None:
    done = imports(write_ir(tmp_path / "sound.xml", chosen(300, FOUND), labels="a b"))
    assert (done.err, "note: " in done.out) == ("", False)
    assert not [doubt for doubt in doubts("sound", tmp_path) if "damaged" in doubt]
    done = imports(write_ir(tmp_path / "blind.xml", raw(1, 300, 6), labels="a b"))
    assert (done.code, done.err) == (0, "")
    assert "note: it found nothing in a drawn street, which may show nothing that it knows; --with PIC" in done.out
    assert not [doubt for doubt in doubts("blind", tmp_path) if "damaged" in doubt]


def test_a_run_of_the_null_engine_does_not_report_the_model(tmp_path: Path) -> None:
    write_video(tmp_path / "clip.mp4", 3)
    more = ("--engine", "null", "--video", "none", "--no-chart", "--quiet", "--out", "run")
    runs.streamer("replay", "clip.mp4", "--model", damaged(tmp_path / "hurt.xml"), *more, cwd=tmp_path)
    assert not [doubt for doubt in runs.manifest(tmp_path / "run")["doubts"] if "damaged" in doubt]


def test_a_quantized_model_is_compared_with_its_original(imports: Imports, tmp_path: Path) -> None:
    boxes = [(8 * n, 8 * n, 8 * n + 12, 8 * n + 12, 0.9, 0) for n in range(5)]
    write_ir(tmp_path / "yard.xml", chosen(300, *boxes))
    write_ir(tmp_path / "yard_int8.xml", chosen(300, *boxes[:4]), quantized=True)
    assert imports(tmp_path / "yard_int8.xml", "--name", "alike").err == ""
    write_ir(tmp_path / "yard_int8.xml", chosen(300, boxes[0]), quantized=True, labels="a b")
    done = imports(tmp_path / "yard_int8.xml", "--name", "unlike", "--with", picture(tmp_path / "a.png"))
    assert "unlike: it disagrees with " in done.error
    assert "/yard.xml, which it was quantized from: in 1 pictures they find 1 and 5 objects" in done.error
    assert "objects and share 20%; quantize it again" in done.error
    assert [doubt for doubt in doubts("unlike", tmp_path) if "disagrees with" in doubt] == [done.error]
    assert imports(tmp_path / "yard_int8.xml", "--name", "unlike").error == done.error, "it is forgotten"


def test_a_batch_of_several_images_in_the_metadata_is_reported(imports: Imports, tmp_path: Path) -> None:
    path = write_ir(tmp_path / "two.xml", chosen(300, FOUND), metadata={"batch": 2, "names": ["a"]})
    assert "two: its metadata says that 2 images go in at a time, and it is run with one" in imports(path).error
    assert [doubt for doubt in doubts(path, tmp_path) if "2 images go in" in doubt]
    one = write_ir(tmp_path / "one.xml", chosen(300, FOUND), metadata={"batch": "1", "names": ["a"]})
    assert imports(one).err == ""


def test_pictures_are_tried_with_the_usual_preprocessings(imports: Imports, tmp_path: Path) -> None:
    path = write_ir(tmp_path / "same.xml", chosen(300, FOUND))
    picture(tmp_path / "a.png")
    picture(tmp_path / "b.png")
    done = imports(path, "--with", tmp_path / "a.png", tmp_path / "b.png")
    assert (done.code, done.err) == (0, "")
    assert "what it finds in 2 pictures, by preprocessing:" in done.out
    assert "      2             0.90  rgb,range=0..1,letterbox,pad=114  (as imported)" in done.out
    assert "none of the usual ones finds clearly more, as surely, than its own" in done.out


def test_pictures_after_the_path_need_with(imports: Imports, tmp_path: Path) -> None:
    done = imports(write_ir(tmp_path / "same.xml", chosen(300, FOUND)), tmp_path / "a.png")
    assert (done.code, "give one PATH, and pictures after --with" in done.err) == (2, True)


def test_the_error_for_a_quantized_file_that_openvino_cannot_read_says_how_to_quantize(tmp_path: Path) -> None:
    path = tmp_path / "q.onnx"
    path.write_bytes(b"no model")
    with pytest.raises(ModelError) as error:
        find_model(str(path))
    assert "ONNX Runtime" not in str(error.value)
    write_operators(path, "QLinearConv")
    with pytest.raises(ModelError, match="quantize the original with streamer models quantize, or with ONNX Runtime"):
        find_model(str(path))


REAL = SHARED / "models"
SOUND = (
    "yolov8n_int8_onnx/yolov8n_int8.onnx",
    "yolov8n_int8_openvino/yolov8n.xml",
    "yolo26n_int8_openvino/yolo26n.xml",
    "yolov8n-seg_int8_onnx/yolov8n-seg_int8.onnx",
    "person-vehicle-bike-detection-2000/FP16-INT8/person-vehicle-bike-detection-2000.xml",
    "person-vehicle-bike-detection-2004/FP16-INT8/person-vehicle-bike-detection-2004.xml",
    "rtmdet_nano_nms/rtmdet_nano.onnx",
    "yolox_nano/yolox_nano_416x416.onnx",
    "nanodet_m_320/nanodet_m_320.onnx",
    "deimv2_atto_int8/deimv2_atto_coco_int8.onnx",
)


@needs_shared
@pytest.mark.slow
@pytest.mark.parametrize("name", SOUND)
def test_a_real_model_that_is_sound_is_not_accused(name: str, imports: Imports) -> None:
    done = imports(REAL / name)
    assert (done.code, done.err) == (0, "")


@needs_shared
@pytest.mark.slow
def test_the_real_model_that_is_damaged_is_reported_where_it_finds_nothing(imports: Imports, tmp_path: Path) -> None:
    done = imports(REAL / "yolov8n_qdq_onnx", "--name", "qdq", "--with", picture(tmp_path / "noise.png"))
    assert "qdq looks damaged: its boxes and scores share one output that counts in steps of 1.506" in done.error
    assert "note: " not in done.out
