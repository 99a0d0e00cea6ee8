"""The contract of an engine: every variant passes it, with every model that it can run here."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from streamer.detection.head import Array, Outputs
from streamer.detection.postprocess import Postprocess
from streamer.detection.preprocess import Preprocessing, preprocess_for
from streamer.engines.base import Engine, Input, gray_input
from streamer.engines.config import CONVOLUTIONS, precision_of
from streamer.engines.registry import open_engine, unavailable
from streamer.engines.spec_parser import parse_spec
from streamer.engines.variants import VARIANTS, EngineSpec, Runtime
from streamer.errors import EngineUnavailable, StreamerError, UsageError
from streamer.files import cache
from streamer.frame import Image
from streamer.models.exporting import Form, export
from streamer.models.find import find_model
from streamer.models.model import BUNDLED, Model
from streamer.video.reader import VideoReader
from tests.checkpoints import write_checkpoint
from tests.quantized import clip_of_the_street, quantized
from tests.runs import BUNDLED_MODEL, COCO_MODEL, FOOTAGE, INT8_MODEL, SHARED, Found, agreement, overlap

# Quantizing a model and torch.compile take half a minute each, and more where somebody else is at work.
pytestmark = pytest.mark.timeout(600)

TINY, UNTRAINED, COCO, INT8, END_TO_END = "tiny", "untrained", "yolov5n-coco", "yolo11n-int8", "end-to-end"

KINDS = {
    TINY: {"ir"},
    UNTRAINED: {"pt"},
    COCO: {"onnx", "int8"},
    INT8: {"ir", "int8"},
    BUNDLED: {"onnx", "pt", "int8"},
    END_TO_END: {"onnx", "pt", "int8"},
}
"""The models that the suite runs, and the kinds of files each of them has, or gets here."""


def can_have(spec: EngineSpec, model: str) -> bool:
    """The model has the file that the variant needs, or one that it can be made from."""
    if spec.compiled and model == UNTRAINED:
        return False  # torch.compile takes 40 s: two models are enough of that
    return not spec.file or spec.file in KINDS[model] or (spec.file == "ir" and "onnx" in KINDS[model])


def is_compared(spec: EngineSpec, model: str) -> bool:
    """There is something to compare: the model finds objects, or would, and it is not the reference itself."""
    if not spec.file or spec.variant == "ir" or model in (TINY, UNTRAINED):
        return False
    # In 8 bits, weights that are chance do not put out what they do otherwise.
    return not (model == END_TO_END and spec.file == "int8")


# Those that are compared come first: pytest then opens each engine once for all tests.
PAIRS = sorted(
    [(variant, model) for variant, model in product(VARIANTS, KINDS) if can_have(VARIANTS[variant], model)],
    key=lambda pair: not is_compared(VARIANTS[pair[0]], pair[1]),
)
COMPARED = [pair for pair in PAIRS if is_compared(VARIANTS[pair[0]], pair[1])]


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A .pt of a YOLOv5n whose weights are chance."""
    if not find_spec("ultralytics"):
        pytest.skip("Ultralytics is not installed: pip install 'streamer[torch]'")
    return write_checkpoint(tmp_path_factory.mktemp("untrained") / "untrained.pt", "yolov5n")


@pytest.fixture(scope="module")
def end_to_end(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A .pt of a YOLO26n whose weights are chance, with its ONNX file in the cache."""
    if not (find_spec("ultralytics") and find_spec("onnx")):
        pytest.skip("Ultralytics or onnx is not installed: pip install 'streamer[torch]'")
    path = write_lively_checkpoint(tmp_path_factory.mktemp("end-to-end") / "end-to-end.pt", "yolo26n")
    export(find_model(str(path), trust=True), Form.ONNX)
    return path


def write_lively_checkpoint(path: Path, architecture: str) -> Path:
    """A .pt of chance weights in which an image still makes a difference, for inputs of 160x160.

    As they are, chance weights let every image fade to the same answer: batch normalisation has seen none yet, and
    the scores start at next to nothing.
    """
    import torch

    from streamer.vendors.ultralytics_quiet import quiet_ultralytics

    with quiet_ultralytics() as ultralytics, torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(1)
        network = ultralytics.YOLO(f"{architecture}.yaml", task="detect").model
        network.train()
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.momentum = None
        network(torch.rand(4, 3, 160, 160))
        network.eval()
        for branch in (*network.model[-1].cv3, *network.model[-1].one2one_cv3):
            branch[-1].bias.fill_(-2)
        torch.save({"model": network.half(), "train_args": {"imgsz": 160, "task": "detect"}}, path)
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
        made = {TINY: "tiny_model", UNTRAINED: "untrained", END_TO_END: "end_to_end"}
        path: Path | None = request.getfixturevalue(made[name]) if name in made else paths.get(name)
        # What torch loads here was written here.
        models[name] = find_model(None if path is None else str(path), trust=name in made)
    return models[name]


def model_for(spec: EngineSpec, name: str, models: dict[str, Model], request: pytest.FixtureRequest) -> Model:
    """The same, with the INT8 file that the variant needs."""
    model = model_named(name, models, request)
    if spec.file == "int8" and "int8" in KINDS[name]:
        models[name] = model = quantized(model, clip_for(name))
    return model


def ready(spec: EngineSpec, model: Model) -> Engine:
    """The engine, read and compiled; skips with its own reason when it cannot run here."""
    why = unavailable(spec, model)
    if why:
        pytest.skip(why)
    engine = open_engine(spec, model)
    engine.read()
    engine.compile()
    return engine


@dataclass(frozen=True, slots=True)
class Running:
    """An engine that is ready, and what its inputs held at first."""

    spec: EngineSpec
    name: str
    model: Model
    engine: Engine
    at_first: tuple[Input, ...]


@pytest.fixture(scope="module", params=PAIRS, ids=lambda pair: "-".join(pair))
def running(request: pytest.FixtureRequest, models: dict[str, Model]) -> Iterator[Running]:
    variant, name = request.param
    # Of chance weights every score is as good as the next: the last digits would decide which are chosen.
    exact = name == END_TO_END and VARIANTS[variant].runtime is Runtime.OPENVINO
    spec = parse_spec(f"{variant},precision=f32" if exact else variant)
    model = model_for(spec, name, models, request)
    with closing(ready(spec, model)) as engine:
        yield Running(spec, name, model, engine, tuple(one.input.copy() for one in engine.requests))


def noise(like: Input, seed: int) -> Input:
    """Noise in the range that such an input has."""
    rng = np.random.default_rng(seed)
    if like.dtype == np.uint8:
        return rng.integers(0, 256, like.shape, np.uint8)
    return rng.random(like.shape, np.float32)


def test_each_input_is_one_array_of_the_models_size_for_ever_and_gray_at_first(running: Running) -> None:
    height, width = running.model.input_size
    graph = running.spec.preprocess is Preprocessing.GRAPH
    assert running.engine.requests
    addresses = set()
    for request, at_first in zip(running.engine.requests, running.at_first, strict=True):
        array = request.input
        address = array.ctypes.data
        assert array.shape == ((1, height, width, 3) if graph else (1, 3, height, width))
        assert array.dtype == (np.uint8 if graph else np.float32)
        assert array.flags.writeable
        assert array.flags.c_contiguous
        assert np.array_equal(at_first, gray_input(running.spec.preprocess, running.model))
        # Scaled as preprocess scales the gray around a picture, to the last digit.
        assert set(np.unique(at_first)) == {np.uint8(114) if graph else np.float32(114) * np.float32(1 / 255)}
        request.infer()
        assert request.input is array
        assert request.input.ctypes.data == address
        addresses.add(address)
    assert len(addresses) == len(running.engine.requests), "two requests have one input"


def test_there_are_as_many_requests_as_requested(running: Running) -> None:
    many = len(running.engine.requests)
    assert many == running.spec.requests if running.spec.requests else many >= 1


def test_the_prediction_has_the_models_output_shape(running: Running) -> None:
    outputs = running.engine.requests[0].infer()
    ports = running.model.signature.outputs
    assert [output.shape for output in outputs] == [port.shape for port in ports]
    assert [output.dtype.name for output in outputs] == [port.dtype for port in ports]
    assert all(np.isfinite(output).all() for output in outputs)


def copies(outputs: Outputs) -> list[Array]:
    """The outputs, kept."""
    return [output.copy() for output in outputs]


def same(some: Outputs, others: Outputs) -> bool:
    """They are equal to the last digit."""
    return all(np.array_equal(one, other) for one, other in zip(some, others, strict=True))


def test_the_same_input_gives_the_same_prediction_in_every_request(running: Running) -> None:
    first: list[Array] | None = None
    for request in running.engine.requests:
        given = noise(request.input, 1)
        request.input[:] = given
        for _ in range(2):
            outputs = request.infer()
            first = copies(outputs) if first is None else first
            assert same(outputs, first)
        assert np.array_equal(request.input, given), "inferring changed the input"


def test_the_prediction_depends_on_the_input(running: Running) -> None:
    request = running.engine.requests[0]
    request.input[:] = noise(request.input, 1)
    first = copies(request.infer())
    request.input[:] = 0
    other = copies(request.infer())
    assert same(other, first) == (running.spec.runtime is Runtime.NULL)
    request.input[:] = noise(request.input, 1)
    assert same(request.infer(), first), "something of an earlier input stayed behind"


def test_a_prediction_outlives_the_inferences_of_other_requests(running: Running) -> None:
    one, *others = running.engine.requests
    one.input[:] = noise(one.input, 1)
    outputs = one.infer()
    before = copies(outputs)
    for other in others:
        other.input[:] = noise(other.input, 2)
        other.infer()
    assert same(outputs, before)


def test_it_reports_its_devices_and_its_configuration(running: Running) -> None:
    engine = running.engine
    assert engine.execution_devices
    assert all(isinstance(device, str) and device for device in engine.execution_devices)
    assert engine.config_in_force
    assert all(isinstance(value, str) and value for value in engine.config_in_force.values())
    requested = {key: value for key, value in running.spec.config if value != "usable cores"}
    assert {key: engine.config_in_force[key] for key in requested} == requested


def test_a_quantized_models_convolutions_run_in_8_bits(running: Running) -> None:
    if running.spec.file != "int8":
        assert "i8" not in precision_of(running.engine.config_in_force) or running.name == INT8
        return
    counted = dict(part.split()[::-1] for part in running.engine.config_in_force[CONVOLUTIONS].split(", "))
    others = sum(int(count) for precision, count in counted.items() if precision != "i8")
    assert int(counted["i8"]) > 10 * others, counted
    assert precision_of(running.engine.config_in_force).startswith("i8+")


# Not torch.compile, which opens in 40 s.
CLOSED = [pair for pair in PAIRS if pair[1] in (TINY, UNTRAINED, BUNDLED) and not VARIANTS[pair[0]].compiled]


@pytest.mark.parametrize(("variant", "name"), CLOSED)
def test_it_may_be_closed_twice_and_before_it_is_read(
    variant: str, name: str, models: dict[str, Model], request: pytest.FixtureRequest
) -> None:
    spec = parse_spec(variant)
    model = model_for(spec, name, models, request)
    engine = ready(spec, model)
    engine.close()
    engine.close()
    assert engine.requests == ()
    unread = open_engine(spec, model)
    unread.close()
    unread.close()


def clip_for(model: str) -> Path:
    """A video in which the model finds something."""
    return clip_of_the_street() if model in (BUNDLED, END_TO_END) else FOOTAGE


@lru_cache(maxsize=3)
def frames_of(model: str) -> tuple[Image, ...]:
    """Frames in which the model finds something."""
    images: list[Image] = []
    with VideoReader(clip_for(model)) as reader:
        while len(images) < 16 and (picture := reader.read()) is not None:
            if picture.image is not None and picture.index % 25 == 0:
                images.append(picture.image)
    return tuple(images)


def detect(engine: Engine, spec: EngineSpec, model: Model, images: tuple[Image, ...]) -> list[list[Found]]:
    """What the engine finds in each image; of chance weights, which are sure of nothing, all that they find."""
    preprocess = preprocess_for(spec.preprocess, model.signature.picture_port, model.input_size, model.input)
    head = model.decoder()
    postprocess = Postprocess(head, 0 if head.suppressed else 0.25, 0.5)
    request = engine.requests[0]
    found = []
    for image in images:
        place = preprocess(image, request.input)
        detections = postprocess(request.infer(), place)
        columns = (detections.class_id.tolist(), detections.confidence.tolist(), detections.xyxy.tolist())
        objects = [Found(class_id, sure, tuple(box)) for class_id, sure, box in zip(*columns, strict=True)]
        # Chance puts some boxes beside the frame: clipped, they overlap nothing, not even themselves.
        found.append([one for one in objects if overlap(one.box, one.box)])
    return found


@pytest.fixture(scope="module")
def references() -> dict[str, list[list[Found]]]:
    """What ``ir`` finds, by model; each found once."""
    return {}


@pytest.mark.slow
@pytest.mark.parametrize("running", COMPARED, ids=lambda pair: "-".join(pair), indirect=True)
def test_engines_agree_on_the_same_frame(
    running: Running, models: dict[str, Model], references: dict[str, list[list[Found]]]
) -> None:
    spec, name, model = running.spec, running.name, running.model
    images = frames_of(name)
    found = detect(running.engine, spec, model, images)
    if name not in references:
        reference = parse_spec("ir,precision=f32" if name == END_TO_END else "ir")
        with closing(ready(reference, model)) as engine:
            references[name] = detect(engine, reference, model, images)
    # A model that is quantized is another model; the others only round differently.
    iou, least = (0.5, 0.9) if spec.file == "int8" else (0.9, 0.98)
    confidence = upper_half(references[name]) if name == END_TO_END else 0.4
    there, back, counted = agreement(found, references[name], iou=iou, confidence=confidence)
    assert counted > 4 * len(images), "too little was found to compare"
    assert there >= least, f"{there:.2%} of what {spec.variant} finds is found by ir"
    assert back >= least, f"{back:.2%} of what ir finds is found by {spec.variant}"


def upper_half(found: list[list[Found]]) -> float:
    """The median confidence: those above it are surely among the chosen."""
    return float(np.median([one.confidence for image in found for one in image]))


@pytest.mark.extras
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
    """The error of a SPEC that is refused."""
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
def test_a_refinement_is_effective(variant: str, refinement: str, tiny_model: Path) -> None:
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
    from streamer.models.openvino_ir import ensure_ir

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

    from streamer.models.openvino_ir import ensure_ir

    monkeypatch.setenv("STREAMER_CACHE", str(tmp_path))
    model = find_model(str(COCO_MODEL))
    together = Barrier(2)

    def first_run(_: int) -> Path:
        together.wait()
        return ensure_ir(model)

    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(first_run, range(2))
    assert first == second
    assert sorted(entry.name for entry in first.parent.iterdir()) == ["made.json", "model.bin", "model.xml"]
    assert [entry.name for entry in first.parents[1].iterdir()] == [model.sha256]
    with closing(ready(parse_spec("ir"), model)) as engine:
        assert engine.requests[0].infer()[0].shape == model.signature.outputs[0].shape


def test_where_the_cache_cannot_be_written_the_ir_is_made_for_this_run_and_the_note_names_the_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not SHARED.is_dir():
        pytest.skip("../shared is absent: its models are not here")
    blocked = tmp_path / "file"
    blocked.touch()
    monkeypatch.setenv("STREAMER_CACHE", str(blocked / "cache"))
    with closing(open_engine(parse_spec("ir"), find_model(str(COCO_MODEL)))) as engine:
        engine.read()
    assert str(blocked / "cache") in (cache.note() or "")
    cache.remove_temporary()
