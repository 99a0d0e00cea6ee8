"""OpenVINO's benchmark_app as a process: its figures are read, it sends no telemetry, and a failure is one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamer.errors import EngineError
from streamer.studies.bench.benchmark_app import benchmark_app, read_figures

SAYS = """
[ INFO ]   INFERENCE_PRECISION_HINT: <Type: 'bfloat16'>
[ INFO ] First inference took 12.50 ms
[ INFO ] Count:            263 iterations
[ INFO ] Latency:
[ INFO ]    Median:        7.55 ms
[ INFO ]    Average:       7.61 ms
[ INFO ]    Min:           7.01 ms
[ INFO ]    Max:           11.02 ms
[ INFO ] Throughput:   131.25 FPS
"""


def test_it_runs_an_ir_and_leaves_the_users_home_alone(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "openvino.py").write_text("raise SystemExit('not the one')")
    monkeypatch.chdir(tmp_path)
    found = benchmark_app(tiny_model, "CPU", 1)
    assert found.count > 10
    assert 0 < found.median_ms <= found.max_ms
    assert found.precision in ("f32", "bf16", "f16")
    assert [path.name for path in tmp_path.iterdir()] == ["openvino.py"]


def test_a_failure_is_one_line_that_names_the_program(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="benchmark_app did not run") as raised:
        benchmark_app(tmp_path / "none.xml", "CPU", 1)
    assert "\n" not in str(raised.value)


def test_its_figures_are_those_it_prints() -> None:
    found = read_figures(SAYS)
    assert (found.count, found.precision, found.fps) == (263, "bf16", 131.25)
    assert (found.first_ms, found.median_ms, found.average_ms, found.max_ms) == (12.5, 7.55, 7.61, 11.02)
    assert read_figures(SAYS.replace("INFERENCE", "OTHER")).precision == ""


def test_times_of_a_quick_model_are_printed_in_microseconds() -> None:
    found = read_figures(SAYS.replace("7.55 ms", "19.53 us"))
    assert (found.median_ms, found.average_ms) == (0.01953, 7.61)


def test_a_figure_that_is_not_there_is_an_error_that_names_it() -> None:
    with pytest.raises(EngineError, match="prints no 'Median:' in ms"):
        read_figures(SAYS.replace("Median", "Middle"))
