"""The contract of an engine: every variant passes it, with every model that it can run here."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import closing
from functools import lru_cache
from importlib.util import find_spec
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from streamer.engines.base import Engine, Tensor
from streamer.engines.opening import open_engine, unavailable
from streamer.engines.recipe import parse_spec
from streamer.engines.spec import VARIANTS, EngineSpec, Runtime
from streamer.errors import EngineError, EngineUnavailable, StreamerError, UsageError
from streamer.frame import Image
from streamer.models import BUNDLED, Model, find_model
from streamer.postprocess import Postprocess
from streamer.preprocess import Fit, Preprocess
from streamer.video_reader import VideoReader
from tests.runs import BUNDLED_MODEL, COCO_MODEL, FOOTAGE, INT8_MODEL, SHARED, Found, agreement

TINY, UNTRAINED, COCO, INT8 = "tiny", "untrained", "yolov5n-coco", "yolo11n-int8"

KINDS = {TINY: {"ir"}, UNTRAINED: {"pt"}, COCO: {"onnx"}, INT8: {"ir"}, BUNDLED: {"onnx", "pt"}}
"""The models that the suite runs, and the kinds of files each of them has."""


def can_have(spec: EngineSpec, model: str) -> bool:
    """The model has the file that the variant needs, or one that it can be made from."""
    return not spec.file or spec.file in KINDS[model] or (spec.file == "ir" and "onnx" in KINDS[model])


PAIRS = [(variant, model) for variant, model in product(VARIANTS, KINDS) if can_have(VARIANTS[variant], model)]


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A .pt of a YOLOv5n whose weights are chance."""
    if not find_spec("ultralytics"):
        pytest.skip("Ultralytics is not installed: pip install 'streamer[torch]'")
    from streamer.ultralytics_quiet import quiet_ultralytics

    path = tmp_path_factory.mktemp("untrained") / "untrained.pt"
    with quiet_ultralytics() as ultralytics:
        model = ultralytics.YOLO("yolov5n.yaml", task="detect")
        model.ckpt = {"model": model.model}
        model.save(path)
    return path


@pytest.fixture(scope="module")
def models() -> dict[str, Model]:
    """Models by name, each found once."""
    return {}


def model_named(name: str, models: dict[str, Model], request: pytest.FixtureRequest) -> Model:
    """A model of the suite; skips when it is not here."""
    if name in (COCO, INT8) and not SHARED.is_dir():
        pytest.skip("../shared is absent: its models are not here")
    if name == BUNDLED and not BUNDLED_MODEL.is_file():
        pytest.skip("the bundled model is not trained yet")
    if name not in models:
        paths = {COCO: COCO_MODEL, INT8: INT8_MODEL}
        if name in (TINY, UNTRAINED):
            path: Path = request.getfixturevalue("tiny_model" if name == TINY else "untrained")
            models[name] = find_model(str(path))
        else:
            models[name] = find_model(str(paths[name]) if name in paths else None)
    return models[name]


def ready(spec: EngineSpec, model: Model) -> Engine:
    """The engine, read and compiled; skips with its own reason when it cannot run here."""
    why = unavailable(spec, model)
    if why:
        pytest.skip(why)
    engine = open_engine(spec, model)
    engine.read()
    engine.compile()
    return engine


Running = tuple[EngineSpec, Model, Engine]


@pytest.fixture(scope="module", params=PAIRS, ids=lambda pair: "-".join(pair))
def running(request: pytest.FixtureRequest, models: dict[str, Model]) -> Iterator[Running]:
    variant, name = request.param
    model = model_named(name, models, request)
    spec = parse_spec(variant)
    with closing(ready(spec, model)) as engine:
        yield spec, model, engine


def noise(model: Model, seed: int) -> Tensor:
    height, width = model.input_size
    return np.random.default_rng(seed).random((1, 3, height, width), np.float32)


def test_the_input_is_one_float32_array_of_the_models_size_for_ever(running: Running) -> None:
    _, model, engine = running
    assert engine.requests
    for request in engine.requests:
        array = request.input
        address = array.ctypes.data
        assert array.shape == (1, 3, *model.input_size)
        assert array.dtype == np.float32
        assert array.flags.writeable
        assert array.flags.c_contiguous
        request.infer()
        assert request.input is array
        assert request.input.ctypes.data == address


def test_the_prediction_has_the_models_output_shape(running: Running) -> None:
    _, model, engine = running
    raw = engine.requests[0].infer()
    assert raw.shape == model.output_shape
    assert raw.dtype == np.float32
    assert np.isfinite(raw).all()


def test_the_same_input_gives_the_same_prediction(running: Running) -> None:
    _, model, engine = running
    request = engine.requests[0]
    request.input[:] = noise(model, 1)
    first = request.infer().copy()
    assert np.array_equal(request.infer(), first)
    assert np.array_equal(request.input, noise(model, 1)), "inferring changed the input"


def test_the_prediction_depends_on_the_input(running: Running) -> None:
    spec, model, engine = running
    request = engine.requests[0]
    request.input[:] = noise(model, 1)
    first = request.infer().copy()
    request.input[:] = 0.1
    other = request.infer().copy()
    assert np.array_equal(other, first) == (spec.runtime is Runtime.NULL)
    request.input[:] = noise(model, 1)
    assert np.array_equal(request.infer(), first), "something of an earlier input stayed behind"


def test_it_tells_its_devices_and_its_configuration(running: Running) -> None:
    spec, _, engine = running
    assert engine.execution_devices
    assert all(isinstance(device, str) and device for device in engine.execution_devices)
    assert engine.config_in_force
    assert all(isinstance(value, str) and value for value in engine.config_in_force.values())
    asked = {key: value for key, value in spec.config if value != "usable cores"}
    assert {key: engine.config_in_force[key] for key in asked} == asked


@pytest.mark.parametrize(("variant", "name"), [pair for pair in PAIRS if pair[1] in (TINY, UNTRAINED, BUNDLED)])
def test_it_may_be_closed_twice_and_before_it_is_read(
    variant: str, name: str, models: dict[str, Model], request: pytest.FixtureRequest
) -> None:
    model = model_named(name, models, request)
    engine = ready(parse_spec(variant), model)
    engine.close()
    engine.close()
    assert engine.requests == ()
    unread = open_engine(parse_spec(variant), model)
    unread.close()
    unread.close()


@lru_cache(maxsize=2)
def frames_of(model: str) -> tuple[Image, ...]:
    """Frames in which the model finds something."""
    if model == BUNDLED:
        from streamer.bundled import bundled

        path = bundled("samples") / "street.mp4"
    else:
        path = FOOTAGE
    images: list[Image] = []
    with VideoReader(path) as reader:
        while len(images) < 24 and (picture := reader.read()) is not None:
            if picture.image is not None and picture.index % 20 == 0:
                images.append(picture.image)
    return tuple(images)


def detect(engine: Engine, model: Model, images: tuple[Image, ...]) -> list[list[Found]]:
    """What the engine finds in each image."""
    preprocess, postprocess = preprocess_for(how, model.input_size, Fit.LETTERBOX), Postprocess(model.head, 0.25, 0.5)
    request = engine.requests[0]
    found = []
    for image in images:
        place = preprocess(image, request.input)
        detections = postprocess(request.infer(), place)
        columns = (detections.class_id.tolist(), detections.confidence.tolist(), detections.xyxy.tolist())
        found.append([Found(class_id, sure, tuple(box)) for class_id, sure, box in zip(*columns, strict=True)])
    return found


@pytest.fixture(scope="module")
def references() -> dict[str, list[list[Found]]]:
    """What ``ir`` finds, by model; each found once."""
    return {}


COMPARED = [(v, model) for v, model in PAIRS if VARIANTS[v].file and v != "ir" and model in (COCO, INT8, BUNDLED)]


@pytest.mark.parametrize(("variant", "name"), COMPARED)
def test_engines_agree_on_the_same_frame(
    variant: str,
    name: str,
    models: dict[str, Model],
    references: dict[str, list[list[Found]]],
    request: pytest.FixtureRequest,
) -> None:
    model = model_named(name, models, request)
    images = frames_of(name)
    with closing(ready(parse_spec(variant), model)) as engine:
        found = detect(engine, model, images)
    if name not in references:
        with closing(ready(parse_spec("ir"), model)) as engine:
            references[name] = detect(engine, model, images)
    there, back, asked = agreement(found, references[name], iou=0.9)
    assert asked > 4 * len(images), "too little was found to compare"
    assert there >= 0.98, f"{there:.2%} of what {variant} finds is found by ir"
    assert back >= 0.98, f"{back:.2%} of what ir finds is found by {variant}"


@pytest.mark.parametrize("variant", list(VARIANTS))
def test_a_variant_that_cannot_run_says_why_and_what_to_do(variant: str, tiny_model: Path) -> None:
    model = find_model(str(tiny_model))
    spec = parse_spec(variant)
    why = unavailable(spec, model)
    if why is None:
        open_engine(spec, model).close()
        return
    assert why.startswith(f"{variant} needs ")
    assert len(why.splitlines()) == 1
    with pytest.raises(EngineUnavailable, match=f"^{variant} needs "):
        open_engine(spec, model)


def refusal(spec: str, model: Model) -> StreamerError:
    """The error with which a SPEC is refused."""
    try:
        engine = open_engine(parse_spec(spec), model)
        engine.read()
        engine.compile()
    except StreamerError as error:
        return error
    pytest.fail(f"{spec} was accepted")


@pytest.mark.parametrize("variant", ["ir", "ir-auto", "ir-auto-shared"])
def test_a_property_that_openvino_does_not_have_is_refused(variant: str, tiny_model: Path) -> None:
    error = refusal(f"{variant},NUM_STREAM=1", find_model(str(tiny_model)))
    assert isinstance(error, UsageError)
    assert "NUM_STREAM " in str(error)
    assert "NUM_STREAMS" in str(error), "it does not name the one that was meant"


@pytest.mark.parametrize("variant", ["ir", "ir-auto", "ir-auto-shared"])
@pytest.mark.parametrize("wrong", ["INFERENCE_PRECISION_HINT=f7", "INFERENCE_NUM_THREADS=many", "NUM_STREAMS=-7"])
def test_a_value_that_openvino_does_not_take_is_refused(variant: str, wrong: str, tiny_model: Path) -> None:
    error = refusal(f"{variant},{wrong}", find_model(str(tiny_model)))
    assert isinstance(error, UsageError)
    assert wrong in str(error)
    assert wrong.partition("=")[0] in str(error).replace(wrong, ""), "OpenVINO's reason is lost"


@pytest.mark.parametrize("variant", ["ir", "ir-auto", "ir-auto-shared"])
@pytest.mark.parametrize("refinement", ["INFERENCE_PRECISION_HINT=f32", "threads=1", "NUM_STREAMS=1"])
def test_a_refinement_is_in_force(variant: str, refinement: str, tiny_model: Path) -> None:
    with closing(ready(parse_spec(f"{variant},{refinement}"), find_model(str(tiny_model)))) as engine:
        key, _, value = refinement.replace("threads", "INFERENCE_NUM_THREADS").partition("=")
        assert engine.config_in_force[key] == value


def test_only_the_shared_variant_hands_out_the_tensors_own_memory(tiny_model: Path) -> None:
    model = find_model(str(tiny_model))
    addresses = {}
    for variant in ("ir-auto", "ir-auto-shared"):
        with closing(ready(parse_spec(variant), model)) as engine:
            request = engine.requests[0]
            request.infer()
            tensor = request._request.get_input_tensor()  # type: ignore[attr-defined]
            addresses[variant] = tensor.data.ctypes.data == request.input.ctypes.data
    assert addresses == {"ir-auto": False, "ir-auto-shared": True}


def test_the_ir_is_made_once_and_kept_under_the_hash_of_the_onnx_file(own_cache: Path) -> None:
    if not SHARED.is_dir():
        pytest.skip("../shared is absent: its models are not here")
    from streamer.engines.ir import ensure_ir

    model = find_model(str(COCO_MODEL))
    path = ensure_ir(model)
    assert path == own_cache / "ir" / model.sha256 / "model.xml"
    made = path.stat().st_mtime_ns
    assert ensure_ir(model).stat().st_mtime_ns == made
    weights = path.with_suffix(".bin").stat().st_size
    assert weights < COCO_MODEL.stat().st_size * 0.6, "the weights are not FP16"
    os.unlink(path.with_suffix(".bin"))  # as after a cache that was cleaned by halves
    assert ensure_ir(model).with_suffix(".bin").stat().st_size == weights
    left = [entry.name for entry in path.parents[1].iterdir() if not re.fullmatch("[0-9a-f]{64}", entry.name)]
    assert left == [], "something was left behind"


def test_two_first_runs_at_once_make_one_whole_ir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not SHARED.is_dir():
        pytest.skip("../shared is absent: its models are not here")
    from concurrent.futures import ThreadPoolExecutor
    from threading import Barrier

    from streamer.engines.ir import ensure_ir

    monkeypatch.setenv("STREAMER_CACHE", str(tmp_path))
    model = find_model(str(COCO_MODEL))
    together = Barrier(2)

    def first_run(_: int) -> Path:
        together.wait()
        return ensure_ir(model)

    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(first_run, range(2))
    assert first == second
    assert sorted(entry.name for entry in first.parent.iterdir()) == ["model.bin", "model.xml"]
    assert [entry.name for entry in first.parents[1].iterdir()] == [model.sha256]
    with closing(ready(parse_spec("ir"), model)) as engine:
        assert engine.requests[0].infer().shape == model.output_shape


def test_a_cache_that_cannot_be_written_is_an_error_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not SHARED.is_dir():
        pytest.skip("../shared is absent: its models are not here")
    blocked = tmp_path / "file"
    blocked.touch()
    monkeypatch.setenv("STREAMER_CACHE", str(blocked / "cache"))
    engine = open_engine(parse_spec("ir"), find_model(str(COCO_MODEL)))
    with pytest.raises(EngineError, match=r"cannot make the IR of yolov5n-coco\.onnx in"):
        engine.read()
