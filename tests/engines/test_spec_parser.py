"""SPECs: their refinements, the engine they stand for, and the errors for wrong ones."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import FrozenInstanceError, replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from streamer.detection.preprocess import Preprocessing
from streamer.engines import variants
from streamer.engines.base import Engine
from streamer.engines.config import CONVOLUTIONS, PRECISION, THREADS, precision_of
from streamer.engines.equivalence import Sameness
from streamer.engines.registry import open_engine
from streamer.engines.spec_parser import known_keys, parse_spec
from streamer.engines.variants import RUNTIMES, VARIANTS, Runtime
from streamer.errors import UsageError
from streamer.machine.info import usable_cores
from streamer.models.find import find_model
from tests import runs
from tests.checkpoints import needs_torch, write_checkpoint
from tests.runs import INT8_MODEL, needs_bundled, needs_shared
from tests.videos import write_video

BY_RUNTIME = {
    Runtime.OPENVINO: "ir",
    Runtime.PYTORCH: "pytorch",
    Runtime.ONNXRUNTIME: "onnxruntime",
    Runtime.NULL: "null",
}
"""A variant of each runtime."""

TAKES = {
    Runtime.OPENVINO: {"threads", "precision", "device", "shared", "preprocess", "prime", "requests"},
    Runtime.PYTORCH: {"threads", "precision", "preprocess", "prime"},
    Runtime.ONNXRUNTIME: {"threads", "preprocess", "prime"},
    Runtime.NULL: {"delay_ms", "preprocess", "prime", "requests"},
}
"""The refinements of each runtime."""

GOOD = {
    "threads": ("1", "64"),
    "precision": ("f32", "bf16"),
    "device": ("CPU", "GPU", "GPU.1", "NPU", "AUTO"),
    "shared": ("on", "off"),
    "preprocess": ("numpy", "off"),
    "prime": ("on", "off"),
    "requests": ("1", "64"),
    "delay_ms": ("0", "2", "0.5", "1e3"),
}

BAD = [
    ("threads", ("0", "-1", "1.5", "many", "²"), "give a whole number of 1 or more"),
    ("requests", ("0", "65", "two", "-3"), "give a whole number of 1 to 64"),
    ("device", ("cpu", "GPU.", "GPU.x", "MY GPU"), "give CPU, GPU, NPU or AUTO, or one of several as in GPU.1"),
    ("shared", ("yes", "ON", "1"), "give on or off"),
    ("prime", ("yes", "True"), "give on or off"),
    ("delay_ms", ("soon", "-1", "nan", "inf"), "give milliseconds of 0 or more"),
]


@pytest.mark.parametrize("runtime", Runtime)
def test_each_runtime_takes_its_refinements_and_no_others(runtime: Runtime) -> None:
    variant = BY_RUNTIME[runtime]
    for key, values in GOOD.items():
        for value in values:
            if key in TAKES[runtime]:
                spec = parse_spec(f"{variant},{key}={value}")
                assert spec.variant == variant
                assert spec.spec == f"{variant},{key}={value}"
                continue
            with pytest.raises(UsageError) as refused:
                parse_spec(f"{variant},{key}={value}")
            assert f"engine {variant} has no {key!r}" in str(refused.value)
            assert f"it takes {known_keys(runtime)}" in str(refused.value)


@pytest.mark.parametrize("runtime", Runtime)
def test_a_runtimes_row_names_a_file_a_class_in_it_and_a_spec_of_its_own(runtime: Runtime) -> None:
    row = RUNTIMES[runtime]
    source = Path(variants.__file__).with_name(f"{row.module}.py").read_text(encoding="utf-8")
    defined = {node.name for node in ast.parse(source).body if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    assert row.engine in defined
    assert ("device_missing" in defined) == row.devices
    assert parse_spec(row.example).runtime is runtime


@pytest.mark.parametrize(("key", "values", "says"), BAD, ids=[key for key, _, _ in BAD])
def test_the_error_for_a_wrong_value_lists_the_right_ones(key: str, values: tuple[str, ...], says: str) -> None:
    for runtime, keys in TAKES.items():
        for value in values:
            if key in keys:
                with pytest.raises(UsageError) as refused:
                    parse_spec(f"{BY_RUNTIME[runtime]},{key}={value}")
                assert str(refused.value) == f"{key}={value}: {says}"


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("ir,precision=int8", "precision=int8: give f32, bf16 or f16"),
        ("pytorch,precision=f16", "precision=f16: give f32 or bf16"),
        ("onnxruntime,precision=f32", "engine onnxruntime has no 'precision'"),
        ("ir,preprocess=gpu", "preprocess=gpu: give numpy, graph or off"),
        ("pytorch,preprocess=graph", "preprocess=graph: give numpy or off"),
        ("null,preprocess=graph", "preprocess=graph: give numpy or off"),
        ("pytorch,NUM_STREAMS=1", "engine pytorch has no 'NUM_STREAMS'"),
        ("ir,treads=2", "engine ir has no 'treads': did you mean threads? it takes threads, precision"),
        ("ir,Threads=2", "did you mean threads?"),
        ("ir,prim=on", "did you mean prime?"),
        ("ir-fsat", "unknown engine 'ir-fsat': did you mean ir-fast? the engines are pytorch, onnx, ir, "),
        ("ir-int8 ,threads", "'threads' is not key=value, as in ir-fast,threads=2"),
        ("ir,", "'' is not key=value"),
        ("ir,=2", "'=2' is not key=value"),
        ("ir,threads=", "'threads=' is not key=value"),
        ("pytorch,x", "as in pytorch,threads=2"),
        ("onnxruntime,x", "as in onnxruntime,threads=2"),
    ],
)
def test_the_error_for_an_unknown_spec_suggests_what_was_meant(spec: str, says: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_spec(spec)
    assert says in str(refused.value)


def test_a_spec_stands_for_its_variant_with_all_its_refinements() -> None:
    spec = parse_spec("ir-fast, threads=2, prime = on,requests=3,precision=f32,NUM_STREAMS=1")
    assert spec == replace(
        VARIANTS["ir-fast"],
        config=(("PERFORMANCE_HINT", "LATENCY"), (THREADS, "2"), (PRECISION, "f32"), ("NUM_STREAMS", "1")),
        prime=True,
        requests=3,
        spec="ir-fast, threads=2, prime = on,requests=3,precision=f32,NUM_STREAMS=1",
    )
    assert (spec.shared, spec.preprocess, spec.file) == (True, Preprocessing.GRAPH, "int8")
    assert parse_spec("null,delay_ms=2.5").delay_ms == 2.5
    assert parse_spec("ir,device=GPU.1").device == "GPU.1"


def test_the_later_of_two_refinements_counts_and_a_variants_own_gives_way() -> None:
    assert dict(parse_spec("ir-threads,threads=1,threads=2").config) == {THREADS: "2"}
    assert dict(parse_spec("ir-auto,PERFORMANCE_HINT=THROUGHPUT").config) == {"PERFORMANCE_HINT": "THROUGHPUT"}
    assert not parse_spec("ir-primed,prime=off").prime
    assert not parse_spec("ir-auto-shared,shared=off").shared
    assert parse_spec("ir-graph,preprocess=numpy").preprocess is Preprocessing.NUMPY


def test_a_spec_cannot_be_changed_and_can_be_kept_in_a_set() -> None:
    spec = parse_spec("ir-fast,threads=2")
    with pytest.raises(FrozenInstanceError):
        spec.shared = False  # type: ignore[misc]
    assert {spec, parse_spec("ir-fast,threads=2"), parse_spec("ir-fast,threads=3")} == {
        spec,
        parse_spec("ir-fast,threads=3"),
    }
    assert parse_spec("ir") != VARIANTS["ir"], "a spec keeps the requested text"


def test_every_variant_is_a_spec_of_its_own() -> None:
    for name, row in VARIANTS.items():
        assert parse_spec(name) == replace(row, spec=name)
        assert row.variant == name
        assert row.about


@contextmanager
def compiled(spec: str, model: Path) -> Iterator[Engine]:
    """The engine of a SPEC, read and compiled."""
    with closing(open_engine(parse_spec(spec), find_model(str(model)))) as engine:
        engine.read()
        engine.compile()
        yield engine


@pytest.mark.parametrize(
    ("spec", "effective", "requests"),
    [
        ("ir-primed,threads=2,precision=f32", {THREADS: "2", PRECISION: "f32"}, 1),
        ("ir-threads,shared=on", {THREADS: str(usable_cores())}, 1),
        ("ir-graph,threads=1,prime=on,requests=2", {THREADS: "1", "PERFORMANCE_HINT": "LATENCY"}, 2),
        ("ir-throughput,requests=3", {"PERFORMANCE_HINT": "THROUGHPUT"}, 3),
        ("ir,NUM_STREAMS=2,requests=2", {"NUM_STREAMS": "2"}, 2),
        ("ir,ENABLE_CPU_PINNING=false", {"ENABLE_CPU_PINNING": "False"}, 1),
        ("ir,EXECUTION_MODE_HINT=ACCURACY", {"EXECUTION_MODE_HINT": "ACCURACY"}, 1),
        ("ir,device=AUTO,PERFORMANCE_HINT=THROUGHPUT", {"PERFORMANCE_HINT": "THROUGHPUT"}, 1),
        ("ir-auto-shared,device=CPU,precision=f32", {PRECISION: "f32"}, 1),
    ],
)
def test_refinements_combine_and_the_effective_configuration_is_read_back(
    spec: str, effective: dict[str, str], requests: int, tiny_model: Path
) -> None:
    with compiled(spec, tiny_model) as engine:
        read_back = engine.config_in_force
        assert {key: read_back[key] for key in effective} == effective
        assert len(engine.requests) == requests
        graph = parse_spec(spec).preprocess is Preprocessing.GRAPH
        for request in engine.requests:
            assert request.input.dtype == (np.uint8 if graph else np.float32)
            owned = request._request.get_input_tensor().data.ctypes.data  # type: ignore[attr-defined]
            assert (owned == request.input.ctypes.data) == parse_spec(spec).shared


@needs_shared
def test_int8_the_graph_threads_and_shared_memory_go_together() -> None:
    with compiled("ir-fast,prime=on,threads=2", INT8_MODEL) as engine:
        assert engine.config_in_force[THREADS] == "2"
        assert engine.config_in_force[CONVOLUTIONS].split()[1].rstrip(",") == "i8"
        assert precision_of(engine.config_in_force).startswith("i8+")
        (request,) = engine.requests
        assert request.input.dtype == np.uint8
        assert request.input.shape == (1, 640, 640, 3)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A .pt with random weights."""
    return write_checkpoint(tmp_path_factory.mktemp("checkpoints") / "chance.pt", "yolo11n")


@needs_torch
def test_threads_and_precision_have_an_effect_in_pytorch_too(checkpoint: Path) -> None:
    model = find_model(str(checkpoint), trust=True)
    answers = {}
    for spec, precision in (("pytorch,threads=1", "f32"), ("pytorch,threads=1,precision=bf16", "bf16")):
        with closing(open_engine(parse_spec(spec), model)) as engine:
            engine.read()
            engine.compile()
            assert engine.config_in_force[THREADS] == "1"
            assert precision_of(engine.config_in_force) == precision
            (request,) = engine.requests
            request.input[:] = np.random.default_rng(1).random(request.input.shape, np.float32)
            answers[precision] = request.infer()[0].copy()
    assert not np.array_equal(answers["f32"], answers["bf16"])
    assert np.allclose(answers["f32"], answers["bf16"], rtol=0.1, atol=2)


@needs_torch
def test_one_engines_threads_are_not_the_next_ones(checkpoint: Path) -> None:
    model = find_model(str(checkpoint), trust=True)
    threads = []
    for spec in ("pytorch", "pytorch,threads=1", "pytorch"):
        with closing(open_engine(parse_spec(spec), model)) as engine:
            engine.read()
            engine.compile()
            threads.append(engine.config_in_force[THREADS])
    assert threads[2] == threads[0]
    assert threads[1] == "1"


@needs_bundled
@pytest.mark.skipif(not find_spec("onnxruntime"), reason="ONNX Runtime is not installed: streamer[onnxruntime]")
def test_onnx_runtime_reports_the_threads_that_it_was_given_and_its_precision() -> None:
    for spec, threads in (("onnxruntime,threads=1", "1"), ("onnxruntime", "its own choice")):
        with closing(open_engine(parse_spec(spec), find_model(None))) as engine:
            engine.read()
            assert engine.config_in_force[THREADS] == threads
            assert engine.config_in_force[PRECISION] == "f32"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("ir-auto-shared,shared=off", "ir-auto"),
        ("ir-auto,shared=on", "ir-auto-shared"),
        ("ir-graph,preprocess=numpy", "ir-auto-shared"),
        ("ir-auto-shared,prime=on", "ir-primed"),
        ("ir-throughput,PERFORMANCE_HINT=LATENCY,requests=1", "ir-auto-shared"),
        ("ir-auto-shared,INFERENCE_NUM_THREADS=1", "ir-auto-shared,threads=1"),
        ("null,delay_ms=2", "null,delay_ms=2.0"),
    ],
)
def test_two_specs_for_one_configuration_are_the_same(first: str, second: str, tiny_model: Path) -> None:
    assert same(first, second, tiny_model) == first


@pytest.mark.parametrize(
    "other",
    [
        *("ir,shared=on", "ir,prime=on", "ir,requests=2", "ir,preprocess=graph", "ir,preprocess=off"),
        *("ir,threads=1,NUM_STREAMS=1", "ir,NUM_STREAMS=2"),
    ],
)
def test_specs_with_another_effective_configuration_are_not_the_same(other: str, tiny_model: Path) -> None:
    assert same("ir", other, tiny_model) is None


def same(first: str, second: str, path: Path) -> str | None:
    """The engine that runs as the second one does; None for none."""
    model, sameness = find_model(str(path)), Sameness()
    with compiled(first, path) as one, compiled(second, path) as another:
        assert sameness.of(parse_spec(first), model, one) is None
        assert sameness.of(parse_spec(first), model, one) is None, "an engine is not the same as itself"
        return sameness.of(parse_spec(second), model, another)


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("ir-auto,PERFORMANCE_HINT=FAST", "it takes LATENCY, THROUGHPUT or CUMULATIVE_THROUGHPUT"),
        ("ir-auto,MODEL_PRIORITY=URGENT", "LOW, MEDIUM, HIGH or DEFAULT"),
        ("ir-auto,PERF_COUNT=perhaps", "true or false"),
        ("ir-auto,ENABLE_CPU_PINNING=perhaps", "true/false"),
        ("ir,PERFORMANCE_HINT=FAST", "LATENCY/THROUGHPUT/CUMULATIVE_THROUGHPUT"),
        ("ir,EXECUTION_MODE_HINT=QUICK", "PERFORMANCE/ACCURACY"),
        ("ir,INFERENCE_PRECISION_HINT=f7", "bf16, f16, f32"),
        ("ir,NUM_STREAM=1", "among those it has: NUM_STREAMS"),
        ("ir,PERFORMANCE_HNT=LATENCY", "among those it has: PERFORMANCE_HINT"),
        ("ir,ZZZZ=1", "OpenVINO has no property ZZZZ for CPU; among those it has: PERFORMANCE_HINT"),
        ("ir-auto,FULL_DEVICE_NAME=mine", "has no property FULL_DEVICE_NAME"),
    ],
)
def test_the_error_for_a_property_that_openvino_refuses_lists_the_right_names_or_values(
    spec: str, says: str, tiny_model: Path
) -> None:
    with pytest.raises(UsageError) as refused, compiled(spec, tiny_model):
        pass
    assert spec in str(refused.value)
    assert says in str(refused.value)
    assert "src/" not in str(refused.value), "it names a place in OpenVINO's source"


def test_a_refused_property_is_one_line_and_exit_code_2_before_anything_is_written(
    tiny_model: Path, tmp_path: Path
) -> None:
    clip = write_video(tmp_path / "clip.mp4", 3)
    for spec in ("ir-auto,PERFORMANCE_HINT=FAST", "ir,NUM_STREAM=1"):
        done = runs.streamer(
            "replay", clip, "--model", tiny_model, "--engine", spec, "--out", "run", cwd=tmp_path
        )  # fmt: skip
        assert spec in done.error
        assert (done.code, done.out) == (2, "")
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


def test_a_run_records_the_requested_and_the_effective_configuration(tiny_model: Path, tmp_path: Path) -> None:
    clip = write_video(tmp_path / "clip.mp4", 3)
    spec = "ir-graph,threads=1,requests=2,prime=on"
    done = runs.streamer(
        "replay", clip, "--model", tiny_model, "--engine", spec, "--out", "run", "--quiet", cwd=tmp_path
    )  # fmt: skip
    assert done.code == 0, done.err
    engine = runs.manifest(tmp_path / "run")["engine"]
    assert engine["spec"] == spec
    assert engine["config_requested"] == {
        **{"PERFORMANCE_HINT": "LATENCY", THREADS: "1"},
        **{"shared": True, "preprocess": "graph", "prime": True, "requests": 2},
    }
    assert engine["config_in_force"][THREADS] == "1"
    assert engine["requests"] == 2
