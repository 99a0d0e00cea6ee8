"""The detector in a user's own program, by its contract: for each engine that can run here."""

from __future__ import annotations

import asyncio
import copy
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError
from pathlib import Path
from threading import Event
from types import MethodType
from typing import Any
from unittest.mock import patch

import numpy as np
import numpy.typing as npt
import pytest

import streamer
from streamer.detection.detections import Detections
from streamer.engines.null import NullEngine, NullRequest
from streamer.engines.registry import unavailable
from streamer.engines.spec_parser import parse_spec
from streamer.errors import EngineError, EngineUnavailable, UntrustedModel, UsageError
from streamer.frame import Frame, Image
from streamer.ledger.record import FrameRecord
from streamer.models.find import find_model
from streamer.pipeline import detector as pipeline_detector
from tests.checkpoints import needs_torch, write_checkpoint
from tests.runs import COCO_MODEL, FOOTAGE, ROOT, SHARED, environment, needs_bundled, needs_shared

pytestmark = [pytest.mark.extras, pytest.mark.slow]

CLIP = ROOT / "samples" / "street.mp4"
ENGINES = (
    *("null", "onnx", "ir", "ir-threads", "ir-auto", "ir-auto-shared", "ir-graph", "ir-int8", "ir-fast"),
    *("ir-throughput", "ir,requests=2", "ir,precision=f32", "onnxruntime", "pytorch"),
)
FRAMES = 6
OTHER_MODELS = (
    "yolo11n-int8/yolo11n.xml",
    "person-vehicle-bike-detection-2004/FP16/person-vehicle-bike-detection-2004.xml",
    "yolox_nano/yolox_nano_416x416.onnx",
    "nanodet_m_320/nanodet_m_320.onnx",
    "rtmdet_nano_nms/rtmdet_nano.onnx",
)
"""Of other heads, preprocessing and sizes."""


def bright(height: int = 64, width: int = 64) -> Image:
    """A picture in which the tiny model sees a person and a car."""
    return np.full((height, width, 3), 235, np.uint8)


@pytest.fixture
def null() -> Iterator[streamer.Detector]:
    with streamer.Detector(engine="null", warmup=0) as detector:
        yield detector


def same(one: Detections, other: Detections) -> bool:
    """Bit for bit."""
    arrays = (one.xyxy, other.xyxy), (one.confidence, other.confidence), (one.class_id, other.class_id)
    return all(a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes() for a, b in arrays)


def replayed(source: Path, out: Path, **options: Any) -> list[tuple[Image, Detections]]:
    """The frames of a closed-loop replay with what it found in each, unrounded; without those of its warm-up."""
    seen: list[tuple[Image, Detections]] = []
    detect = pipeline_detector.Detector.detect

    def watched(self: pipeline_detector.Detector, frame: Frame, record: FrameRecord) -> Detections:
        found = detect(self, frame, record)
        seen.append((frame.image.copy(), found))
        return found

    with patch.object(pipeline_detector.Detector, "detect", watched):
        streamer.replay(
            source, fps="max", frames=FRAMES, warmup=0, video="none", chart=False, out=out, stall="10m", **options
        )
    return seen[-FRAMES:]


def check_same_as_replay(source: Path, out: Path, **options: Any) -> None:
    spec, model = parse_spec(options["engine"]), find_model(options.get("model"))
    if why := unavailable(spec, model):
        pytest.skip(why)
    frames = replayed(source, out, **options)
    with streamer.Detector(**options) as detector:
        for number, one in enumerate(detector.requests):
            found = [one(image) for image, _ in frames]
            assert all(same(ours, theirs) for ours, (_, theirs) in zip(found, frames, strict=True)), number
    assert sum(map(len, found)) > 0, "nothing to compare"


@needs_bundled
@pytest.mark.parametrize("engine", ENGINES)
def test_boxes_are_those_of_a_replay_bit_for_bit(engine: str, tmp_path: Path) -> None:
    check_same_as_replay(CLIP, tmp_path / "run", engine=engine)


@needs_bundled
@pytest.mark.parametrize(
    "options", [{"fit": "stretch"}, {"fit": "crop"}, {"fit": "letterbox-top-left"}, {"conf": 0.6, "iou": 0.3}]
)
def test_the_options_do_what_they_do_to_a_replay(options: dict[str, Any], tmp_path: Path) -> None:
    check_same_as_replay(CLIP, tmp_path / "run", engine="ir", **options)


@needs_shared
@pytest.mark.parametrize("engine", ["ir", "ir-auto-shared", "ir-graph", "onnx", "onnxruntime"])
def test_boxes_of_a_coco_model_are_those_of_a_replay(engine: str, tmp_path: Path) -> None:
    check_same_as_replay(FOOTAGE, tmp_path / "run", engine=engine, model=str(COCO_MODEL), conf=0.05)


@needs_shared
@pytest.mark.parametrize("engine", ["ir-auto-shared", "ir-graph"])
@pytest.mark.parametrize("model", OTHER_MODELS)
def test_boxes_of_other_models_are_those_of_a_replay(model: str, engine: str, tmp_path: Path) -> None:
    path = SHARED / "models" / model
    check_same_as_replay(FOOTAGE, tmp_path / "run", engine=engine, model=str(path), conf=0.05)


def test_detections_have_the_shapes_types_and_labels_that_they_promise(tiny_model: Path) -> None:
    with streamer.Detector(engine="ir", model=tiny_model) as detector:
        found = detector(bright(128, 128))
        assert detector.names == ("person", "car")
    assert found.labels == ["person", "car"]
    types = [str(one.dtype) for one in (found.xyxy, found.confidence, found.class_id)]
    assert types == ["float32", "float32", "int32"]
    # In pixels of the picture, which is twice as large as the model's input.
    assert found.xyxy.tolist() == [[24, 24, 56, 56], [68, 56, 108, 104]]
    assert "names" not in repr(found)


def test_pictures_of_any_size_and_memory_are_detected_and_left_alone(tiny_model: Path) -> None:
    rows = np.tile(np.arange(96, dtype=np.uint8)[:, None, None] + 130, (1, 80, 3))
    rows.flags.writeable = False
    pictures = [
        rows,
        rows[::-1],
        rows[:, ::-1],
        rows[..., ::-1],
        rows[10:70, 5:66],
        rows[::2, ::3],
        np.asfortranarray(rows),
        rows.transpose(1, 0, 2),
        np.broadcast_to(rows[:1, :1], (33, 47, 3)),
        bright(1, 1),
    ]
    for engine in ("ir", "ir-graph"):
        for fit in ("letterbox", "crop", "stretch"):
            with streamer.Detector(engine=engine, model=tiny_model, fit=fit, warmup=0) as detector:
                for picture in pictures:
                    before = picture.copy()
                    assert same(detector(picture), detector(before))
                    assert (picture == before).all()


def test_what_was_found_stays_when_the_next_picture_comes(tiny_model: Path) -> None:
    with streamer.Detector(engine="ir-auto-shared", model=tiny_model) as detector:
        found = detector(bright())
        kept = Detections(found.xyxy.copy(), found.confidence.copy(), found.class_id.copy())
        assert len(detector(np.zeros((64, 64, 3), np.uint8))) == 0
    assert same(found, kept)


@pytest.mark.parametrize(
    ("image", "says"),
    [
        (None, "the image is None: cv2.VideoCapture.read gives that at the end"),
        (bright()[..., 0], r"64 x 64, uint8: .*COLOR_GRAY2BGR"),
        (bright()[..., :1], r"64 x 64 x 1, uint8: .*COLOR_GRAY2BGR"),
        (np.zeros((64, 64, 4), np.uint8), r"64 x 64 x 4, uint8: .*COLOR_BGRA2BGR"),
        (bright() / 255, r"64 x 64 x 3, float64: .* \(image \* 255\)"),
        (bright().astype(np.uint16), r"uint16: give height x width x 3 of uint8, BGR, as cv2 reads pictures$"),
        (bright().transpose(2, 0, 1), r"3 x 64 x 64, uint8: .*transpose\(1, 2, 0\)"),
        (bright()[None], "1 x 64 x 64 x 3, uint8: one picture at a time"),
        (bright()[:0], "0 x 64 x 3, uint8: it has no pixels"),
        (np.uint8(3), "the image is a uint8: give height x width x 3"),
        (np.zeros((), np.uint8), "an array of no dimensions, uint8: give height x width x 3"),
        (bright().tolist(), "the image is a list: .* numpy.asarray"),
        ("street.jpg", "the image is a str: give height x width x 3"),
    ],
)
def test_what_is_no_picture_is_refused_with_its_mend(image: Any, says: str, null: streamer.Detector) -> None:
    with pytest.raises(UsageError, match=says):
        null(image)
    assert len(null(bright())) == 3


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"fps": "max"}, "no option is called fps: there are conf, engine, fit, iou, model, trust, warmup$"),
        ({"engin": "ir"}, "no option is called engin: did you mean engine"),
        ({"engine": "irr"}, "unknown engine 'irr': did you mean ir"),
        ({"engine": "ir-primed"}, "engine ir-primed: prime=on .* give prime=off, or ir-auto-shared for ir-primed"),
        ({"engine": "null,prime=on"}, "engine null,prime=on: prime=on"),
        ({"conf": 2}, "^conf 2.0: give a number above 0 and up to 1"),
        ({"iou": "half"}, "^iou half: give"),
        ({"fit": "squeeze"}, "^fit squeeze: give 'letterbox'"),
        ({"warmup": -1}, "^warmup -1: give 0 or more"),
        ({"model": "nobody"}, "no such model: nobody"),
    ],
)
def test_options_are_those_of_the_command_line_in_the_words_of_the_library(options: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        streamer.Detector(**options)


def test_priming_that_is_switched_off_is_no_priming() -> None:
    with streamer.Detector(engine="null,prime=off", warmup=0) as detector:
        assert detector.effective.spec == "null,prime=off"


class Code:
    """Calls a function when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[()]]:
        return os.getcwd, ()


@needs_torch
def test_a_pt_that_nobody_trusts_is_not_loaded(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "mine.pt", "yolo11n", extra=Code())
    with pytest.raises(UntrustedModel, match="trust=True"):
        streamer.Detector(engine="pytorch", model=path)
    with streamer.Detector(engine="pytorch", model=path, trust=True, warmup=0) as detector:
        assert detector.effective.config_in_force["LOADED"] == "pickle"


@needs_bundled
def test_what_is_effective_is_stated_as_in_run_json(tmp_path: Path) -> None:
    options: dict[str, Any] = {"engine": "ir-auto-shared,threads=1,precision=f32", "conf": "0.4", "iou": 0.6}
    run = streamer.replay(
        CLIP, fps="max", frames=1, warmup=0, video="none", chart=False, out=tmp_path / "run", **options
    )
    with streamer.Detector(**options, fit=streamer.Fit.STRETCH) as detector:
        effective = detector.effective
    engine, model = run.manifest["engine"], run.manifest["model"]
    assert (effective.spec, effective.variant, effective.runtime) == (
        engine["spec"],
        engine["variant"],
        engine["runtime"],
    )
    assert (effective.device, list(effective.execution_devices)) == (engine["device"], engine["execution_devices"])
    assert dict(effective.config_in_force) == engine["config_in_force"]
    assert effective.config_in_force["INFERENCE_NUM_THREADS"] == "1"
    assert (effective.requests, effective.preprocess) == (1, "numpy")
    assert (effective.model, effective.sha256, list(effective.input_size)) == (
        model["name"],
        model["sha256"],
        model["input_size"],
    )
    assert len(effective.names) == model["classes"]
    assert (effective.conf, effective.iou, effective.fit) == (0.4, 0.6, streamer.Fit.STRETCH)
    with pytest.raises(FrozenInstanceError):
        effective.conf = 1  # type: ignore[misc]
    with pytest.raises(TypeError):
        effective.config_in_force["INFERENCE_NUM_THREADS"] = "2"  # type: ignore[index]


def test_a_device_that_changes_is_reported_also_when_it_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    with streamer.Detector(engine="null", warmup=0) as detector:
        assert detector.effective.execution_devices == ("none",)
        monkeypatch.setattr(NullEngine, "execution_devices", ("GPU.0",))
        assert detector.effective.execution_devices == ("GPU.0",)
        assert repr(detector) == "<streamer.Detector null, model street, on GPU.0>"
        monkeypatch.setattr(NullEngine, "execution_devices", ("GPU.1",))
    assert detector.effective.execution_devices == ("GPU.1",)
    assert repr(detector) == "<streamer.Detector null, model street, closed>"


def test_a_closed_detector_and_its_requests_refuse_and_say_so() -> None:
    with streamer.Detector(engine="null,requests=2", warmup=0) as detector:
        requests = detector.requests
        assert all(len(one(bright())) == 3 for one in requests)
    detector.close()
    callable_ones: list[Callable[[Any], Detections]] = [detector, *requests]
    for one in callable_ones:
        with pytest.raises(UsageError, match="the detector is closed: call it before close"):
            one(bright())
    with pytest.raises(UsageError, match="the detector is closed"), detector:
        pass


def held(request: Any) -> tuple[Event, Event]:
    """Makes an inference of a null request wait: an event when it is there, and one that lets it go on."""
    there, go_on = Event(), Event()

    def infer(self: NullRequest) -> Any:
        there.set()
        assert go_on.wait(60)
        return NullRequest.infer(self)

    request.infer = MethodType(infer, request)
    return there, go_on


def test_one_picture_at_a_time_unless_there_are_more_requests() -> None:
    with streamer.Detector(engine="null,requests=2", warmup=0) as detector, ThreadPoolExecutor(1) as pool:
        there, go_on = held(detector.requests[0]._request)
        under_way = pool.submit(detector, bright())
        assert there.wait(60)
        for busy in (detector, detector.requests[0]):
            with pytest.raises(UsageError, match=r"one at a time; give each thread one of detector.requests"):
                busy(bright())
        assert len(detector.requests[1](bright())) == 3
        go_on.set()
        assert len(under_way.result()) == 3
        assert len(detector(bright())) == 3, "free again"


def test_a_call_that_is_under_way_when_it_is_closed_still_has_its_answer() -> None:
    detector = streamer.Detector(engine="null", warmup=0)
    with ThreadPoolExecutor(1) as pool:
        there, go_on = held(detector.requests[0]._request)
        under_way = pool.submit(detector, bright())
        assert there.wait(60)
        detector.close()
        go_on.set()
        assert len(under_way.result()) == 3


def test_an_engine_that_fails_is_an_error_of_one_line_and_the_next_picture_goes_on(null: streamer.Detector) -> None:
    def broken() -> Any:
        raise RuntimeError("out of\nmemory")

    request: Any = null.requests[0]._request
    with (
        patch.object(request, "infer", broken),
        pytest.raises(EngineError, match=r"^the engine failed: out of memory"),
    ):
        null(bright())
    assert len(null(bright())) == 3


def test_an_engine_that_does_not_get_ready_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[NullEngine] = []
    monkeypatch.setattr(NullRequest, "infer", lambda self: 1 / 0)
    monkeypatch.setattr(NullEngine, "close", lambda self: closed.append(self))
    with pytest.raises(EngineError, match="the engine failed while it was warmed up"):
        streamer.Detector(engine="null")
    assert len(closed) == 1


def test_an_engine_that_cannot_run_here_says_what_is_missing(tiny_model: Path) -> None:
    with pytest.raises(EngineUnavailable, match=r"onnx needs a \.onnx file"):
        streamer.Detector(engine="onnx", model=tiny_model)


@pytest.mark.parametrize("times", [0, 3])
def test_each_request_is_warmed_up_as_often_as_requested(times: int, monkeypatch: pytest.MonkeyPatch) -> None:
    warmed: list[NullRequest] = []
    infer = NullRequest.infer

    def counted(self: NullRequest) -> Any:
        warmed.append(self)
        return infer(self)

    monkeypatch.setattr(NullRequest, "infer", counted)
    with streamer.Detector(engine="null,requests=2", warmup=times):
        assert len(warmed) == 2 * times
        assert len(set(warmed)) == (2 if times else 0)


@pytest.mark.parametrize("way", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_detector_is_neither_copied_nor_pickled(way: Callable[[object], object], null: streamer.Detector) -> None:
    for one in (null, null.requests[0]):
        with pytest.raises(UsageError, match="neither copied nor pickled: make one in each process"):
            way(one)


FORK = """
import os, sys, time
import numpy as np
import streamer

detector = streamer.Detector(engine="{engine}", model={model!r})
image = np.full((64, 64, 3), 235, np.uint8)
child = os.fork()
if not child:
    try:
        detector(image)
    except streamer.UsageError as error:
        print(error)
        detector.close()
        sys.exit(7)  # as programs end: what is left is freed
_, status = os.waitpid(child, 0)
print(os.waitstatus_to_exitcode(status), len(detector(image)))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
@pytest.mark.parametrize("engine", ["null", "ir", "ir-auto-shared"])
def test_a_fork_has_no_detector_and_ends_all_the_same(engine: str, tiny_model: Path) -> None:
    program = FORK.format(engine=engine, model=str(tiny_model))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    refused, ended = done.stdout.splitlines()
    assert refused.startswith("the detector was made before this process was forked"), done.stderr
    code, found = map(int, ended.split())
    assert code == 7, done.stderr
    assert found > 0


def test_it_is_called_from_threads_in_turn_and_from_an_event_loops(tiny_model: Path) -> None:
    async def program(detector: streamer.Detector) -> list[int]:
        here = len(detector(bright()))
        return [here, len(await asyncio.to_thread(detector, bright()))]

    with streamer.Detector(engine="ir", model=tiny_model) as detector, ThreadPoolExecutor(1) as pool:
        assert asyncio.run(program(detector)) == [2, 2]
        assert len(pool.submit(detector, bright()).result()) == 2


def test_several_requests_at_once_find_what_one_finds(tiny_model: Path) -> None:
    pictures = [np.full((64, 64, 3), level, np.uint8) for level in range(90, 250, 4)]
    with streamer.Detector(engine="ir,requests=3", model=tiny_model) as detector, ThreadPoolExecutor(3) as pool:
        alone = [detector(picture) for picture in pictures]

        def detected(one: Callable[[npt.NDArray[Any]], Detections]) -> list[Detections]:
            return [one(picture) for picture in pictures]

        for found in pool.map(detected, detector.requests):
            assert all(map(same, found, alone))
    assert sum(map(len, alone)) > len(pictures) / 2
