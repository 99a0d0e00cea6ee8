"""The bench command: the tutorial's lines and chart, percentiles beside, and OpenVINO's own figure."""

from __future__ import annotations

import csv
import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from streamer.cli.bench_report import NAMES, lines_of
from streamer.engines.variants import TUTORIAL
from streamer.stats.summary import Statistics
from streamer.studies.bench.chart import RAINBOW, STYLES, bench_figure
from streamer.studies.bench.rows import HEADER, Benched, Timed
from tests import runs
from tests.runs import Finished, environment, needs_bundled

Bench = Callable[..., Finished]


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "dog.png"
    cv2.imwrite(str(path), np.full((48, 96, 3), 200, np.uint8))
    return path


@pytest.fixture
def bench(image: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """``streamer bench`` in this process, of the image with the tiny model; later options override earlier ones."""

    def bench(*more: str | Path, image: str | Path = image) -> Finished:
        monkeypatch.setenv("COLUMNS", "200")
        usual = ("--model", tiny_model, "--number", "20", "--out", "out")
        return runs.streamer("bench", image, *usual, *more, cwd=tmp_path)

    return bench


def table(directory: Path) -> dict[str, dict[str, str]]:
    """The rows of ``bench.csv`` by engine."""
    text = (directory / "bench.csv").read_text(encoding="utf-8")
    assert text.startswith(HEADER + "\n")
    assert text.endswith("\n")
    return {row["engine"]: row for row in csv.DictReader(text.splitlines())}


def document(directory: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((directory / "bench.json").read_text(encoding="utf-8"))
    return found


def test_the_lines_are_the_tutorials() -> None:
    each = Statistics(1000, 20.4251, 30.0, {}, {})
    timed = Timed(29.31, 48.9594, each)
    assert lines_of(Benched("pytorch", "CPU", timed=timed)) == [
        "PyTorch model on CPU. First inference time: 0.0293 seconds",
        "PyTorch model on CPU: 0.0204 seconds per image (48.96 FPS)",
    ]
    named = [lines_of(Benched(spec, "AUTO", timed=timed))[1].partition(" on ")[0] for spec in NAMES]
    assert list(NAMES) == list(TUTORIAL)
    assert named[1:] == [
        "ONNX model",
        *["OpenVINO model"] * 2,
        "OpenVINO model + more threads",
        "OpenVINO model",
        "OpenVINO model + shared memory",
    ]
    assert lines_of(Benched("ir,threads=1", "CPU", timed=timed))[1].startswith("ir,threads=1 on CPU: 0.0204 seconds")
    assert lines_of(Benched("ir-gpu", "GPU", why="no GPU")) == []


def test_each_engine_has_its_lines_its_row_and_its_bar(bench: Bench, tmp_path: Path) -> None:
    done = bench("--engine", "ir", "--engine", "ir-auto-shared", "--engine", "null,delay_ms=1", "--engine", "onnx")
    assert (done.code, done.err) == (0, "")
    first, mean = done.out.splitlines()[:2]
    assert re.fullmatch(r"OpenVINO model on CPU\. First inference time: \d\.\d{4} seconds", first)
    assert re.fullmatch(r"OpenVINO model on CPU: \d\.\d{4} seconds per image \(\d+\.\d\d FPS\)", mean)
    assert "OpenVINO model + shared memory on AUTO: " in done.out
    rows = table(tmp_path / "out")
    assert list(rows) == ["ir", "ir-auto-shared", "null,delay_ms=1", "onnx"]
    for name in list(rows)[:3]:
        assert (rows[name]["why"], rows[name]["inferences"], rows[name]["input"]) == ("", "20", "float32")
        assert float(rows[name]["p50_ms"]) <= float(rows[name]["max_ms"])
        assert float(rows[name]["fps"]) == pytest.approx(1000 / float(rows[name]["mean_ms"]), rel=1e-3)
    assert float(rows["null,delay_ms=1"]["mean_ms"]) >= 1
    assert rows["onnx"]["mean_ms"] == ""
    assert f"unavailable  onnx: {rows['onnx']['why']}" in done.out
    assert "note         p95 needs 130 inferences in a row, --number is 20" in done.out
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["bench.csv", "bench.json", "bench.png"]
    drawn = cv2.imread(str(tmp_path / "out" / "bench.png"))
    assert drawn is not None
    assert drawn.shape[1] == 1200


def test_the_tutorials_input_is_float64_where_the_tutorial_had_it(bench: Bench, tmp_path: Path) -> None:
    engines = ("ir", "ir-auto-shared", "ir-graph")
    bench("--input", "tutorial", *(word for engine in engines for word in ("--engine", engine)))
    assert [row["input"] for row in table(tmp_path / "out").values()] == ["float64", "float32", "uint8"]
    assert document(tmp_path / "out")["run"]["input"] == "tutorial"


@pytest.mark.slow
def test_openvinos_own_figure_stands_beside_ir(bench: Bench, tmp_path: Path) -> None:
    done = bench("--engine", "null", "--engine", "ir", "--engine", "ir-auto", "--against", "benchmark_app")
    assert (done.code, done.err) == (0, "")
    rows = table(tmp_path / "out")
    assert list(rows) == ["null", "ir", "benchmark_app", "ir-auto"]
    theirs = rows["benchmark_app"]
    assert (theirs["precision"], theirs["devices"]) == (rows["ir"]["precision"], "CPU")
    assert theirs["p95_ms"] == ""
    after = done.out.partition("OpenVINO model on CPU: ")[2].splitlines()[1]
    line = re.fullmatch(r"benchmark_app on CPU: median ([\d.]+) ms, average ([\d.]+) ms \([\d.]+ FPS\)", after)
    assert line is not None, after
    assert float(line[1]) == pytest.approx(float(theirs["p50_ms"]), abs=0.006)
    assert float(line[2]) == pytest.approx(float(theirs["mean_ms"]), abs=0.006)
    names = [row["engine"] for row in document(tmp_path / "out")["engines"]]
    assert names == list(rows)


def test_json_is_the_document_and_nothing_else_is_on_standard_output(bench: Bench, tmp_path: Path) -> None:
    done = bench("--engine", "ir", "--engine", "null", "--json")
    assert (done.code, done.err) == (0, "")
    found = json.loads(done.out)
    assert found == document(tmp_path / "out")
    assert found["run"] == {
        "number": 20,
        "input": "float32",
        "interrupted": False,
        "started": found["run"]["started"],
    }
    rows = table(tmp_path / "out")
    for engine in found["engines"]:
        assert {name: "" if value is None else str(value) for name, value in engine.items()} == rows[engine["engine"]]


def test_quiet_prints_nothing_and_a_directory_in_use_needs_overwrite(bench: Bench, tmp_path: Path) -> None:
    assert bench("--engine", "null", "--quiet") == Finished(0, "", "")
    again = bench("--engine", "null")
    assert again.code == 2
    assert "--out out is not empty" in again.error
    assert bench("--engine", "ir", "--quiet", "--overwrite") == Finished(0, "", "")
    assert list(table(tmp_path / "out")) == ["ir"]


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (["--number", "0"], 2, "--number 0: give 1 or more"),
        (["--number", "many"], 2, "'many' is not a valid integer"),
        (["--engine", "warp"], 2, "unknown engine 'warp'"),
        (["--engine", "ir", "--engine", "ir,FOO=1"], 2, "no property FOO"),
        (["--engine", "ir", "--engines", "all"], 2, "give one of the two"),
        (["--engine", "null", "--against", "benchmark_app"], 2, "give --engine ir as well"),
        (["--against", "trtexec"], 2, "'trtexec' is not 'benchmark_app'"),
        (["--input", "float16"], 2, "'float32', 'tutorial'"),
        (["--model", "nobody"], 2, "no such model: nobody"),
        (["--engine", "onnx"], 1, "none of the engines can run here: onnx"),
    ],
)
def test_what_makes_no_sense_is_one_line_and_nothing_is_written(
    options: list[str], code: int, says: str, bench: Bench, tmp_path: Path
) -> None:
    done = bench(*options)
    assert (done.code, done.out) == (code, "")
    assert says in done.error
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "code", "says"),
    [
        ("none.png", 2, "no such file: none.png"),
        ("broken.png", 1, "broken.png is not an image that can be decoded"),
        ("clip.mp4", 2, "clip.mp4 is no image"),
    ],
)
def test_an_image_that_cannot_be_read_is_one_line(
    name: str, code: int, says: str, bench: Bench, tmp_path: Path
) -> None:
    (tmp_path / "broken.png").write_bytes(b"no image")
    (tmp_path / "clip.mp4").write_bytes(b"no video")
    done = bench("--engine", "null", image=name)
    assert (done.code, done.out) == (code, "")
    assert says in done.error
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_and_the_engines_that_are_done_are_kept_and_shown(
    number: signal.Signals, code: int, image: Path, tiny_model: Path, tmp_path: Path
) -> None:
    options = ("--engine", "ir", "--engine", "null,delay_ms=500", "--model", str(tiny_model), "--out", "out")
    with subprocess.Popen(
        [sys.executable, "-m", "streamer", "bench", str(image), *options],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline(), process.stdout.readline()]
        assert "seconds per image" in lines[1]
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (code, "")
    assert list(table(tmp_path / "out")) == ["ir"]
    found = document(tmp_path / "out")
    assert found["run"]["interrupted"] is True
    assert "; 1 not reached." in found["answer"]
    assert found["answer"] in out
    assert (tmp_path / "out" / "bench.png").is_file()


@needs_bundled
def test_without_anything_given_a_new_directory_is_named_after_the_bundled_clip(tmp_path: Path) -> None:
    done = runs.streamer("bench", "--engine", "null", "--number", "5", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert "street, an image of 640x480" in done.out
    (directory,) = (tmp_path / "runs").iterdir()
    assert re.fullmatch(r"\d{8}T\d{6}Z-street-bench", directory.name)


def chart(*engines: tuple[str, float | None], **more: Any) -> Any:
    """The axes of the chart of these engines with their means."""
    names = HEADER.split(",")
    rows = [
        {**dict.fromkeys(names), "engine": name, "mean_ms": mean, "precision": "bf16" if mean else None, **more}
        for name, mean in engines
    ]
    figure = bench_figure(
        {
            "answer": "Back to back ir takes 8.00 ms an image (125.00 FPS).",
            "streamer": "0.1.0",
            "source": {"uri": "/pictures/dog.jpg"},
            "model": {"name": "street", "input_size": [480, 640]},
            "machine": {"cpu": "A CPU", "usable_cores": 2, "cores": 4},
            "run": {"number": 1000, "input": "tutorial", "started": "2026-11-25T12:00:00.000+00:00"},
            "engines": rows,
        }
    )
    (axes,) = figure.axes
    return axes


def test_the_chart_has_the_tutorials_rainbow_as_opencv_makes_it() -> None:
    ramp = np.arange(0, 255, 255 / 80).astype(np.uint8)
    colours = np.asarray(cv2.applyColorMap(ramp, cv2.COLORMAP_RAINBOW)).reshape(-1, 3)[::10]
    assert list(RAINBOW) == [f"#{a:02X}{b:02X}{c:02X}" for a, b, c in colours[: len(TUTORIAL)].tolist()]
    axes = chart(("ir-auto-shared", 8.0), ("ir,threads=1", 9.0), ("pytorch", 40.0))
    drawn = [tuple(round(255 * part) for part in bar.get_facecolor()[:3]) for bar in axes.patches]
    assert drawn[0] == (190, 65, 0)
    assert drawn[2] == (0, 0, 255)
    assert len(set(drawn[1])) == 1, "what is not the tutorial's is gray"


def test_the_chart_names_what_is_effective_and_leaves_a_place_for_what_is_not_here() -> None:
    axes = chart(("pytorch", 40.25), ("ir-gpu", None), ("ir", 8.0), same_as="onnx", input="float64")
    assert [text.get_text() for text in axes.texts] == ["40.25 ms", "not here", "8.00 ms"]
    labels = [" ".join(label.get_text().split()) for label in axes.get_xticklabels()]
    assert labels[2] == "OpenVINO IR model bf16, float64 same as ONNX model"
    assert [round(bar.get_x() + bar.get_width() / 2) for bar in axes.patches] == [0, 2]
    assert axes.get_ylabel() == "Inference time [ms]"
    assert axes.get_title() == "Performance difference"


def test_the_chart_of_many_engines_has_its_labels_upright_and_none_over_another() -> None:
    axes = chart(*((name, 10.0 + place) for place, name in enumerate((*STYLES, *map(str, range(8))))))
    assert {label.get_rotation() for label in axes.get_xticklabels()} == {90.0}
    axes.figure.canvas.draw()
    edges = [label.get_window_extent() for label in axes.texts]
    assert all(left.x1 <= right.x0 for left, right in pairwise(edges))
