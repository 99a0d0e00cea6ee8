"""The variants that can run, their effective configurations, and which are the same, also by ``streamer engines``."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

import pytest

from streamer.engines.config import CONVOLUTIONS, PRECISION, THREADS
from streamer.engines.openvino import devices
from streamer.engines.spec_parser import known_keys
from streamer.engines.variants import VARIANTS, Runtime
from streamer.models.find import find_model
from streamer.studies.engine_survey import Surveyed, survey
from tests import runs
from tests.runs import INT8_MODEL, Finished, needs_bundled, needs_shared

pytestmark = pytest.mark.extras

needs_cpu_alone = pytest.mark.skipif(
    set(devices()) != {"CPU"}, reason=f"there is more than a CPU: {', '.join(devices())}"
)


@lru_cache(maxsize=3)
def surveyed(path: str | None) -> dict[str, Surveyed]:
    """The rows of a survey of a model, by variant."""
    names: list[str] = []
    rows = survey(find_model(path), names.append)
    assert names == [row.spec.variant for row in rows] == list(VARIANTS), "a variant is missing, or is out of order"
    return {row.spec.variant: row for row in rows}


@pytest.mark.slow
@needs_bundled
@needs_cpu_alone
def test_auto_is_the_same_as_the_cpu_where_there_is_no_other_device() -> None:
    rows = surveyed(None)
    assert rows["ir"].same_as is None
    assert rows["ir-auto"].same_as == "ir"
    assert rows["ir-auto"].config_in_force == rows["ir"].config_in_force


@pytest.mark.slow
@needs_bundled
def test_the_kind_of_file_makes_a_difference() -> None:
    rows = surveyed(None)
    assert rows["onnx"].same_as is None
    assert rows["ir"].same_as is None, "its weights are FP16, the ONNX file's are not"
    assert rows["ir-int8"].same_as is None


@needs_bundled
def test_shared_memory_priming_the_graph_and_more_requests_make_a_difference() -> None:
    rows = surveyed(None)
    for variant in ("ir-auto-shared", "ir-primed", "ir-graph", "ir-fast", "null"):
        assert rows[variant].unavailable is None
        assert rows[variant].same_as is None, variant
    throughput = rows["ir-throughput"].config_in_force
    assert throughput is not None
    assert throughput["PERFORMANCE_HINT"] == "THROUGHPUT"


@needs_bundled
def test_threads_make_a_difference_where_the_numbers_differ() -> None:
    rows = surveyed(None)
    plain, threaded = rows["ir"].config_in_force, rows["ir-threads"].config_in_force
    assert plain is not None
    assert threaded is not None
    assert (rows["ir-threads"].same_as == "ir") == (plain == threaded)
    assert threaded[THREADS] != "0"


@pytest.mark.slow
@needs_shared
@needs_cpu_alone
def test_int8_variants_of_a_model_that_is_quantized_already_are_the_same_as_others() -> None:
    rows = surveyed(str(INT8_MODEL))
    assert rows["ir-int8"].same_as == "ir-auto-shared"
    assert rows["ir-fast"].same_as == "ir-graph"
    effective = rows["ir"].config_in_force
    assert effective is not None
    assert "i8" in effective[CONVOLUTIONS]


def test_a_variant_that_cannot_run_says_why_and_is_the_same_as_none(tiny_model: Path) -> None:
    rows = surveyed(str(tiny_model))
    for variant in ("pytorch", "onnx", "onnxruntime", "pytorch-compile", "ir-int8", "ir-fast"):
        row = rows[variant]
        assert row.unavailable is not None
        assert row.unavailable.startswith(f"{variant} needs ")
        assert (row.config_in_force, row.same_as) == (None, None)
    for variant in ("ir", "ir-primed", "null"):
        assert rows[variant].unavailable is None
        assert rows[variant].config_in_force


@needs_bundled
def test_a_variant_that_takes_long_to_compile_is_not_compiled() -> None:
    slow = [row for row in VARIANTS.values() if row.runtime in (Runtime.PYTORCH, Runtime.ONNXRUNTIME)]
    rows = surveyed(None)
    for spec in slow:
        assert rows[spec.variant].config_in_force is None


def engines(model: Path, monkeypatch: pytest.MonkeyPatch, *more: str) -> Finished:
    """``streamer engines`` in this process."""
    monkeypatch.setenv("COLUMNS", "200")
    return runs.streamer("engines", "--model", model, *more, cwd=model.parent)


@needs_cpu_alone
def test_the_command_says_what_is_the_same_and_in_which_precision(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = engines(tiny_model, monkeypatch)
    assert (done.code, done.err) == (0, "")
    lines = {line.split("  ")[0].strip(): line.rstrip() for line in done.out.splitlines() if "  " in line}
    effective = surveyed(str(tiny_model))["ir"].config_in_force
    assert effective is not None
    assert lines["ir"].endswith(f"yes, in {effective[PRECISION]}")
    assert lines["ir-auto"].endswith("yes, same as ir")
    assert "no: onnx needs a .onnx file and model tiny has only tiny.xml" in lines["onnx"]
    assert lines["null"].endswith("  yes")
    for runtime in Runtime:
        assert known_keys(runtime) in " ".join(done.out.split())


def test_json_has_a_document_for_each_variant(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = engines(tiny_model, monkeypatch, "--json")
    assert (done.code, done.err) == (0, "")
    documents = json.loads(done.out)
    assert [document["variant"] for document in documents] == list(VARIANTS)
    rows = surveyed(str(tiny_model))
    for document in documents:
        row = rows[document["variant"]]
        assert document == {
            "variant": row.spec.variant,
            "about": row.spec.about,
            "device": row.spec.device,
            "unavailable": row.unavailable,
            "same_as": row.same_as,
            "config_in_force": row.config_in_force,
        }
