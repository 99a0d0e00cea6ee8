"""Quantizing a model on a user's own video: which models are kept or refused, and the quantized graph."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from streamer.detection.preprocess import Preprocess
from streamer.engines.config import CONVOLUTIONS
from streamer.engines.registry import open_engine, unavailable
from streamer.engines.spec_parser import parse_spec
from streamer.models.derived import find_made
from streamer.models.exporting import Form, export
from streamer.models.find import find_model, with_made
from streamer.models.model import BUNDLED, Model
from streamer.models.quantize import decoding
from streamer.studies.quantize.study import quantize_model
from streamer.vendors.openvino_quiet import apply_moc_transformations, ov
from tests import runs
from tests.checkpoints import needs_torch, write_checkpoint
from tests.quantized import clip_of_the_street, needs_nncf, quantized, write_learned
from tests.runs import COCO_MODEL, FOOTAGE, SHARED, Finished, environment, needs_bundled, needs_shared, read_until
from tests.videos import write_video

Quantize = Callable[..., Finished]

# Where several models are quantized for the first time, that takes a while.
pytestmark = [pytest.mark.timeout(300), pytest.mark.extras]


def grays(path: Path, frames: int) -> Path:
    """A clip of plain pictures, each of another gray."""
    levels = np.random.default_rng(3).integers(60, 250, frames)
    return write_video(path, [np.full((64, 64, 3), level, np.uint8) for level in levels], size=(64, 64))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """80 frames."""
    return grays(tmp_path_factory.mktemp("clips") / "grays.mp4", 80)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own."""
    monkeypatch.setenv("STREAMER_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def learned(tmp_path: Path) -> Path:
    """A model that keeps what it sees in 8 bits."""
    return write_learned(tmp_path / "learned.xml")


@pytest.fixture
def quantize(clip: Path, cache: Path, tmp_path: Path) -> Quantize:
    """``streamer models quantize`` in this process, with 45 frames of the clip by default."""

    def quantize(model: str | Path, *more: str | Path) -> Finished:
        return runs.streamer("models", "quantize", model, "--with", clip, "--samples", "45", *more, cwd=tmp_path)

    return quantize


def kept(cache: Path) -> list[str]:
    """The files of quantized models in the cache."""
    return sorted(
        str(path.relative_to(cache / "int8").name) for path in (cache / "int8").rglob("*") if path.is_file()
    )


@needs_nncf
def test_a_quantized_model_is_kept_and_the_engines_find_it(quantize: Quantize, learned: Path, cache: Path) -> None:
    before = find_model(str(learned))
    why = unavailable(parse_spec("ir-int8"), before)
    assert why == (
        f"ir-int8 needs a quantized model: streamer models quantize {learned} --with VIDEO makes one"
    )  # fmt: skip
    done = quantize(learned)
    assert (done.code, done.err) == (0, "")
    place = cache / "int8" / before.sha256
    assert kept(cache) == ["made.json", "model.bin", "model.xml"]
    lines = done.out.splitlines()
    assert lines[0].startswith("learned, calibrated on 45 frames of ")
    assert lines[0].endswith("grays.mp4, scored on 15 others")
    assert [line.split("  ")[0] for line in lines[2:5]] == ["size", "service time", "agreement"]
    assert lines[4].split()[1:] == ["1.000", "1.000"]
    assert lines[5] == f"kept in {place}; ir-int8 and ir-fast run it"
    after = find_model(str(learned))
    assert after.files["int8"] == place / "model.xml"
    for variant in ("ir-int8", "ir-fast"):
        with closing(open_engine(parse_spec(variant), after)) as engine:
            engine.read()
            engine.compile()
            assert engine.config_in_force[CONVOLUTIONS] == "3 i8"
            assert engine.requests[0].infer()[0].shape == after.signature.outputs[0].shape


@needs_nncf
def test_json_has_size_speed_and_agreement_before_and_after(quantize: Quantize, learned: Path, cache: Path) -> None:
    done = quantize(learned, "--json")
    assert (done.code, done.err) == (0, "")
    document: dict[str, Any] = json.loads(done.out)
    assert document["decode_errors"] == {"reasons": [], "others": 0}
    assert set(document) - {"decode_errors"} == {
        "model",
        "source",
        "samples",
        "judged",
        "before",
        "after",
        "min_agreement",
        "path",
        "kept",
    }
    counts = (document["model"], document["samples"], document["judged"], document["kept"])
    assert counts == ("learned", 45, 15, True)
    path = Path(document["path"])
    assert path.is_relative_to(cache)
    assert document["after"]["bytes"] == path.stat().st_size + path.with_suffix(".bin").stat().st_size
    for form in ("before", "after"):
        assert set(document[form]) == {"bytes", "service_ms", "agreement"}
        assert document[form]["service_ms"] > 0
        agreement = document[form]["agreement"]
        # Two objects in each frame.
        assert (agreement["frames"], agreement["reference"], agreement["smaller"]) == (15, 30, 1)
    assert document["after"]["agreement"]["confidence_max"] > document["before"]["agreement"]["confidence_max"]


@needs_nncf
@pytest.mark.parametrize("shown", ["--quiet", "--json", None])
def test_one_that_sees_other_things_in_8_bits_is_refused_and_nothing_is_kept(
    shown: str | None, quantize: Quantize, tmp_path: Path, cache: Path
) -> None:
    fragile = write_learned(tmp_path / "fragile.xml", fragile=True)
    done = quantize(fragile, *([shown] if shown else []))
    assert done.code == 3
    assert done.error.startswith("not kept: agreement with the original is 0.")
    assert "required is 0.9; give frames like those the camera sees" in done.error
    assert kept(cache) == []
    assert "int8" not in find_model(str(fragile)).files
    if shown == "--json":
        document = json.loads(done.out)
        assert (document["kept"], document["path"]) == (False, None)
        assert document["after"]["agreement"]["smaller"] < 0.9
    elif shown == "--quiet":
        assert done.out == ""
    else:
        assert "kept in" not in done.out


@needs_nncf
def test_the_least_agreement_is_an_option(quantize: Quantize, tmp_path: Path, cache: Path) -> None:
    fragile = write_learned(tmp_path / "fragile.xml", fragile=True)
    assert quantize(fragile, "--min-agreement", "0.1").code == 0
    assert kept(cache) == ["made.json", "model.bin", "model.xml"]


@needs_nncf
def test_a_model_that_finds_nothing_is_unchecked_and_not_kept(
    quantize: Quantize, tmp_path: Path, cache: Path
) -> None:
    done = quantize(write_learned(tmp_path / "blind.xml", surest=0.1))
    assert done.code == 3
    assert "not kept: agreement with the original cannot be measured, neither form finds anything" in done.error
    assert "unchecked" in done.out
    assert kept(cache) == []


@needs_nncf
def test_quantizing_again_replaces_what_was_made(quantize: Quantize, learned: Path, clip: Path) -> None:
    assert quantize(learned).code == 0
    model = find_model(str(learned))
    assert quantize(learned, "--samples", "50").code == 0
    made = find_made("int8", model.sha256, None)
    assert made is not None
    assert made.extra == {"source": str(clip), "samples": 50, "agreement": 1}


@needs_nncf
def test_frames_that_are_scored_have_not_calibrated(clip: Path, learned: Path, cache: Path) -> None:
    steps: list[str] = []
    found = quantize_model(
        find_model(str(learned)), str(clip), samples=60, min_agreement=0.9, advance=steps.append
    )  # fmt: skip
    assert (found.samples, found.scored) == (60, 20), "together they are the clip's 80 frames"
    counted = Counter(steps)
    assert list(counted) == ["calibrating", "scoring"]
    assert counted["scoring"] == 20
    # The iterator may not be resumed after the last frame.
    assert counted["calibrating"] in (59, 60)


@needs_nncf
@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--samples", "39"], "--samples 39 --min-agreement 0.9: give 40 or more, and a share from 0 to 1"),
        (["--samples", "-1"], "--samples -1"),
        (["--min-agreement", "1.1"], "--min-agreement 1.1"),
        (["--min-agreement", "nan"], "--min-agreement nan"),
        (["--samples", "many"], "'many' is not a valid integer"),
        (["--with", "nosuch.mp4"], "no such file: nosuch.mp4"),
        (["--with", "camera:0"], "camera:0 is live and shows no frame twice: record it, and give the file"),
        (["--with", "short.mp4"], "short.mp4 has 39 frames, too few to quantize with: give 40 or more"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_makes_no_sense_is_one_line_and_exit_code_2(
    options: list[str], says: str, quantize: Quantize, learned: Path, tmp_path: Path, cache: Path
) -> None:
    grays(tmp_path / "short.mp4", 39)
    done = quantize(learned, *options)
    assert says in done.error
    assert (done.code, done.out) == (2, "")
    assert not cache.exists() or kept(cache) == []


def test_the_frames_must_be_given(tmp_path: Path) -> None:
    assert runs.streamer("models", "quantize", BUNDLED, cwd=tmp_path).code == 2


@needs_nncf
def test_a_model_that_is_quantized_already_is_refused(quantize: Quantize, learned: Path, cache: Path) -> None:
    assert quantize(learned).code == 0
    done = quantize(find_model(str(learned)).files["int8"])
    assert done.error == "model is quantized already: give the model that it was made from"
    assert done.code == 2


@needs_nncf
@needs_shared
@pytest.mark.parametrize("name", ["yolov8n_int8_onnx", "yolov8n_qdq_onnx"])
def test_an_onnx_file_that_is_quantized_already_is_refused(name: str, quantize: Quantize, cache: Path) -> None:
    done = quantize(SHARED / "models" / name / "yolov8n_int8.onnx")
    assert done.error == "yolov8n_int8 is quantized already: give the model that it was made from"
    assert done.code == 2


@needs_nncf
def test_a_model_with_nothing_to_quantize_is_refused(quantize: Quantize, tiny_model: Path, cache: Path) -> None:
    done = quantize(tiny_model)
    assert done.error == "tiny.xml cannot be quantized: it has no trained layer"
    assert done.code == 1
    assert kept(cache) == []


@needs_torch
@needs_nncf
def test_a_checkpoint_without_its_onnx_file_says_how_to_make_one(quantize: Quantize, tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "chance.pt", "yolo11n")
    done = quantize(path, "--trust")
    assert done.error == (
        f"chance has no ONNX file to quantize: streamer models export {path} --to onnx makes one"
    )  # fmt: skip
    assert done.code == 1


def test_without_nncf_it_says_what_to_install(
    quantize: Quantize, learned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamer.models.quantize.find_spec", lambda name: None)
    done = quantize(learned)
    assert done.error == "quantizing needs NNCF: pip install 'streamer[quantize]'"
    assert (done.code, done.out) == (1, "")


@pytest.mark.slow
@needs_nncf
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_it_keeps_nothing_and_leaves_nothing_behind(
    number: signal.Signals, code: int, learned: Path, tmp_path: Path, cache: Path
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    endless = ("--with", "synthetic:street", "--samples", "20000")
    terminal, other_side = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "streamer", "models", "quantize", str(learned), *endless],
        cwd=tmp_path,
        env=environment({"TMPDIR": str(scratch), "TERM": "xterm", "COLUMNS": "100"}),
        stdout=subprocess.PIPE,
        stderr=other_side,
    )
    os.close(other_side)
    try:
        shown = read_until(terminal, b"calibrating")
        process.send_signal(number)
        shown += read_until(terminal, None)
        out, _ = process.communicate(timeout=60)
    finally:
        process.kill()
        os.close(terminal)
    assert process.returncode == code
    assert out == b""
    assert b"Traceback" not in shown
    assert [entry.name for entry in scratch.iterdir() if entry.name.startswith("streamer-")] == []
    assert kept(cache) == []


def graph_of(path: Path) -> Any:
    """The model in a file as it is quantized: its activations fused."""
    model = ov.Core().read_model(path)
    apply_moc_transformations(model, cf=False)
    return model


def operations(model: Any, kind: str) -> dict[str, Any]:
    """The operations of a kind by name."""
    return {node.get_friendly_name(): node for node in model.get_ordered_ops() if node.get_type_name() == kind}


def learns_nothing(convolution: Any) -> bool:
    """Its weights are 0, 1, 2 and so on: it averages over a distribution."""
    weights = convolution.input_value(1).get_node()
    while weights.get_type_name() != "Constant":
        weights = weights.input_value(0).get_node()
    values = weights.data.ravel()
    return bool(np.array_equal(values, np.arange(len(values))))


def test_what_comes_after_the_last_learned_convolution_decodes(learned: Path) -> None:
    model = graph_of(learned)
    found = [node for node in model.get_ordered_ops() if node.get_friendly_name() in decoding(model)]
    assert Counter(node.get_type_name() for node in found) == {
        **{"ReduceMean": 1, "Sigmoid": 1, "Reshape": 1, "Concat": 1, "Multiply": 2},
    }


@needs_shared
def test_decoding_boxes_of_the_v7_export_is_everything_after_its_three_convolutions() -> None:
    model = graph_of(COCO_MODEL)
    names = set(decoding(model))
    assert names
    assert not names & set(operations(model, "Convolution"))
    # What is left leads on to a convolution, or is one.
    assert len(set(operations(model, "Sigmoid")) & names) == 3
    assert not set(operations(model, "Swish")) & names
    assert not set(operations(model, "MaxPool")) & names


def check_distribution(graph: Any) -> None:
    names = set(decoding(graph))
    convolutions = {**operations(graph, "Convolution"), **operations(graph, "GroupConvolution")}
    averages = {name for name, node in convolutions.items() if learns_nothing(node)}
    assert len(averages) == 1
    assert names & set(convolutions) == averages
    assert not names & set(operations(graph, "Swish"))
    assert not names & set(operations(graph, "MaxPool"))


@needs_bundled
def test_the_convolution_that_has_learnt_nothing_belongs_to_the_bundled_models_decoding() -> None:
    check_distribution(graph_of(find_model(None).files["onnx"]))


@needs_torch
def test_the_convolution_that_has_learnt_nothing_belongs_to_the_decoding(tmp_path: Path, cache: Path) -> None:
    model = find_model(str(write_checkpoint(tmp_path / "chance.pt", "yolo11n")), trust=True)
    check_distribution(graph_of(export(model, Form.ONNX)[0]))


@pytest.fixture(scope="module")
def models() -> Callable[[str], Model]:
    """Real models with their INT8 files: the bundled one, and YOLOv5n with its COCO weights."""

    def named(name: str) -> Model:
        if name == BUNDLED:
            return quantized(find_model(None), clip_of_the_street())
        return quantized(find_model(str(COCO_MODEL)), FOOTAGE)

    return named


REAL = pytest.mark.parametrize(
    "name", [pytest.param(BUNDLED, marks=needs_bundled), pytest.param("yolov5n-coco", marks=needs_shared)]
)


@pytest.mark.slow
@REAL
def test_no_activation_is_quantized_separately_from_its_convolution(
    name: str, models: Callable[[str], Model]
) -> None:
    graph = ov.Core().read_model(models(name).files["int8"])
    quantizers = operations(graph, "FakeQuantize")
    assert len(quantizers) > 50
    fed_by = Counter(node.input_value(0).get_node().get_type_name() for node in quantizers.values())
    assert not {"Sigmoid", "Multiply"} & set(fed_by), "x and sigmoid(x) were quantized separately"
    assert len(operations(graph, "Swish")) > 50


@REAL
def test_boxes_are_not_decoded_in_8_bits(name: str, models: Callable[[str], Model]) -> None:
    graph = ov.Core().read_model(models(name).files["int8"])
    seen, pending = set(), [node.input_value(0).get_node() for node in graph.get_results()]
    while pending:
        node = pending.pop()
        if node.get_friendly_name() in seen or (node.get_type_name() == "Convolution" and not learns_nothing(node)):
            continue
        seen.add(node.get_friendly_name())
        assert node.get_type_name() != "FakeQuantize", node.get_friendly_name()
        pending.extend(value.get_node() for value in node.input_values())
    assert len(seen) > 10


def runtime_kinds(spec: str, model: Model) -> tuple[Counter[str], str]:
    """How many operations of each kind the CPU runs, and in which precision it runs convolutions."""
    with closing(open_engine(parse_spec(spec), model)) as engine:
        engine.read()
        engine.compile()
        graph = engine._compiled.get_runtime_model()  # type: ignore[attr-defined]
        kinds = Counter(node.get_rt_info()["layerType"].astype(str) for node in graph.get_ops())
        return kinds, engine.config_in_force[CONVOLUTIONS]


@REAL
def test_the_convolutions_run_in_8_bits_and_nothing_new_runs_beside_them(
    name: str, models: Callable[[str], Model]
) -> None:
    model = models(name)
    before, _ = runtime_kinds("ir-auto-shared", model)
    after, convolutions = runtime_kinds("ir-int8", model)
    precisions = {part.split()[1]: int(part.split()[0]) for part in convolutions.split(", ")}
    assert precisions["i8"] >= sum(precisions.values()) - 1, convolutions
    assert after["Convolution"] == before["Convolution"] == sum(precisions.values())
    beside = ("Subgraph", "Eltwise", "FakeQuantize", "Math")
    assert sum(after[kind] for kind in beside) <= sum(before[kind] for kind in beside), after


@needs_nncf
def test_it_is_calibrated_on_what_replay_would_give_the_model(learned: Path, cache: Path, tmp_path: Path) -> None:
    # In portrait: the letterbox' gray is part of what the model sees.
    bright = [np.full((96, 32, 3), 255, np.uint8)] * 60
    clip = write_video(tmp_path / "portrait.mp4", bright, size=(32, 96))
    model = find_model(str(learned))
    assert quantize_model(model, str(clip), samples=45, min_agreement=0, advance=lambda doing: None).path is not None
    graph = ov.Core().read_model(with_made(model).files["int8"])
    (first,) = [
        node
        for node in operations(graph, "FakeQuantize").values()
        if node.input_value(0).get_node().get_type_name() == "Parameter"
    ]
    low, high = (float(first.input_value(place).get_node().data.ravel()[0]) for place in (1, 2))
    tensor = np.empty((1, 3, 64, 64), np.float32)
    Preprocess(model.signature.picture_port, model.input_size, model.input)(bright[0], tensor)
    assert low <= float(tensor.min())
    assert high == pytest.approx(float(tensor.max()), rel=0.02), "not scaled to 0 to 1"


@needs_nncf
def test_nncf_sends_no_telemetry() -> None:
    lines = (
        "from streamer.models.quantize import quiet_nncf",
        "with quiet_nncf(): pass",
        "print(os.environ['NNCF_CI'])",
    )
    code = "\n".join(("import os", *lines))
    bare = {name: value for name, value in environment().items() if name != "NNCF_CI"}
    done = subprocess.run([sys.executable, "-c", code], env=bare, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("1\n", "")
