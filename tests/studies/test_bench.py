"""The tutorial's benchmark as a study: its input, its times, and its rows."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from streamer.engines.base import Engine
from streamer.engines.null import NullEngine
from streamer.engines.openvino import devices
from streamer.engines.registry import open_engine
from streamer.engines.spec_parser import parse_spec
from streamer.engines.variants import EngineSpec
from streamer.errors import EngineError, EngineUnavailable, SourceError, UsageError
from streamer.frame import Image
from streamer.models.find import find_model
from streamer.models.model import Model
from streamer.stats.summary import Statistics
from streamer.studies.bench.document import document_of
from streamer.studies.bench.input import Feed, feed, read_image, stretched
from streamer.studies.bench.rows import Against, Benched, Timed, as_dict, plain_answer
from streamer.studies.bench.study import Bench, BenchSettings
from streamer.studies.offline_detector import Opened
from tests.runs import needs_bundled
from tests.videos import write_video

Study = Callable[..., Bench]
SLOW = "null,delay_ms=1"
"""An engine with a pause, which the tests replace."""


class FakeClock:
    """Time that passes only by `pass_us`."""

    def __init__(self) -> None:
        self.us = 0

    def now_us(self) -> int:
        return self.us

    def pass_us(self, us: int) -> None:
        self.us += us


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    clock = FakeClock()
    monkeypatch.setattr("streamer.studies.bench.study.MonotonicClock", lambda: clock)
    return clock


@pytest.fixture
def model(tiny_model: Path) -> Model:
    return find_model(str(tiny_model))


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """An image twice as wide as high, of another colour in each half and plane."""
    image = np.zeros((100, 200, 3), np.uint8)
    image[:, :100] = 10, 100, 200
    image[:, 100:] = 250, 150, 50
    path = tmp_path / "picture.png"
    cv2.imwrite(str(path), image)
    return path


@pytest.fixture
def study(picture: Path, model: Model) -> Study:
    def study(*engines: str, number: int = 20, feed: Feed = Feed.FLOAT32) -> Bench:
        specs = tuple(parse_spec(engine) for engine in engines)
        return Bench(str(picture), model, BenchSettings(engines=specs, number=number, feed=feed))

    return study


def paused(monkeypatch: pytest.MonkeyPatch, pause: Callable[[float], None]) -> None:
    """Lets the null engine pause so."""

    def opening(spec: EngineSpec, model: Model) -> Engine:
        return NullEngine(spec, model, pause) if spec.variant == "null" else open_engine(spec, model)

    monkeypatch.setattr("streamer.studies.offline_detector.open_engine", opening)


def quietly(_: str, __: int) -> None:
    """Nobody watches."""


def timed(row: Benched) -> Timed:
    assert row.timed is not None, row.why
    return row.timed


def test_the_first_inference_is_separate_and_the_loop_is_timed_as_a_whole(
    study: Study, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    took = iter([50_000, 10_000, 20_000, 30_001, 20_000])
    paused(monkeypatch, lambda _: clock.pass_us(next(took)))
    (row,) = study(SLOW, number=4).rows(quietly)
    assert next(took, None) is None, "an inference too few"
    found = timed(row)
    assert found.first_ms == 50
    assert (found.each.n, found.each.max) == (4, 30.001)
    assert found.each.mean == 20.00025
    assert found.fps == pytest.approx(4 / 0.080001)


def test_reporting_progress_takes_no_time_from_an_inference(
    study: Study, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    paused(monkeypatch, lambda _: clock.pass_us(100_000))
    reported: list[tuple[str, int]] = []

    def advance(name: str, done: int) -> None:
        reported.append((name, done))
        clock.pass_us(7_000)

    (row,) = study(SLOW, number=20).rows(advance)
    assert reported == [(SLOW, 0), (SLOW, 4), (SLOW, 9), (SLOW, 14), (SLOW, 19)]
    assert (timed(row).each.mean, timed(row).each.max) == (100, 100)


@pytest.mark.parametrize(
    ("number", "shown"), [(10, []), (11, ["p50"]), (130, ["p50", "p95"]), (662, ["p50", "p95", "p99"])]
)
def test_a_percentile_is_given_only_where_there_are_inferences_enough(
    number: int, shown: list[str], study: Study
) -> None:
    bench = study("null", number=number)
    (row,) = bench.rows(quietly)
    cells: Mapping[str, Any] = as_dict(row)
    assert [name for name in ("p50", "p95", "p99") if cells[f"{name}_ms"] is not None] == shown
    notes = document_of(bench, [row], interrupted=False)["notes"]
    withheld = [note.partition(" ")[0] for note in notes if "in a row" in note]
    assert withheld == [name for name in ("p50", "p95", "p99") if name not in shown]


@pytest.mark.parametrize(
    ("engine", "how", "fed"),
    [
        ("ir", Feed.FLOAT32, "float32"),
        ("ir", Feed.TUTORIAL, "float64"),
        ("ir-auto", Feed.TUTORIAL, "float64"),
        ("ir,shared=on", Feed.TUTORIAL, "float32"),
        ("ir-auto-shared", Feed.TUTORIAL, "float32"),
        ("ir-auto-shared", Feed.FLOAT32, "float32"),
        ("ir-graph", Feed.TUTORIAL, "uint8"),
        ("ir-graph", Feed.FLOAT32, "uint8"),
        ("null", Feed.TUTORIAL, "float32"),
    ],
)
def test_each_engine_has_the_requested_input(engine: str, how: Feed, fed: str, model: Model, picture: Path) -> None:
    image = stretched(read_image(str(picture))[1], model.input_size)
    with Opened(parse_spec(engine), model) as opened:
        request = opened.engine.requests[0]
        assert feed(request, parse_spec(engine), model, image, how) == fed
        assert str(request.input.dtype) == fed
        whole = request.input if fed == "uint8" else request.input.transpose(0, 2, 3, 1) * 255
        np.testing.assert_allclose(whole[0], image, atol=1e-3)


@pytest.mark.parametrize("how", list(Feed))
def test_the_picture_reaches_the_model_whatever_its_numbers_are(how: Feed, model: Model, picture: Path) -> None:
    image = stretched(read_image(str(picture))[1], model.input_size)
    answers = []
    for engine in ("ir,precision=f32", "ir-auto-shared,precision=f32"):
        with Opened(parse_spec(engine), model) as opened:
            feed(opened.engine.requests[0], parse_spec(engine), model, image, how)
            answers.append(opened.engine.requests[0].infer()[0].copy())
    np.testing.assert_allclose(answers[0], answers[1], rtol=1e-5)
    # The tiny model's confidence is the brightness of the picture.
    assert answers[0][0, 4, 10] == pytest.approx(0.9 * image.mean() / 255, abs=1e-4)


def test_without_preprocessing_the_input_stays_gray(model: Model, picture: Path) -> None:
    image: Image = np.zeros((64, 64, 3), np.uint8)
    spec = parse_spec("ir,preprocess=off")
    with Opened(spec, model) as opened:
        assert feed(opened.engine.requests[0], spec, model, image, Feed.TUTORIAL) == "float32"
        assert opened.engine.requests[0].input.min() > 0.4


def test_the_image_is_stretched_by_area_and_not_letterboxed(picture: Path) -> None:
    info, image = read_image(str(picture))
    assert (info.width, info.height) == (200, 100)
    small = stretched(image, (64, 32))
    assert small.shape == (64, 32, 3)
    assert small[0, 0].tolist() == small[-1, 0].tolist() == [10, 100, 200]
    assert small[0, -1].tolist() == [250, 150, 50]


@needs_bundled
def test_without_an_image_it_is_the_first_frame_of_the_bundled_clip() -> None:
    info, image = read_image(None)
    assert Path(info.uri).name == "street.mp4"
    assert image.shape == (info.height, info.width, 3)
    assert image.std() > 10, "a frame of one colour"


@pytest.mark.parametrize(
    ("name", "kind", "says"),
    [
        ("none.png", UsageError, "no such file"),
        ("broken.png", SourceError, "not an image that can be decoded"),
        ("empty.jpg", SourceError, "not an image that can be decoded"),
        ("clip.mp4", UsageError, r"no image .* streamer replay .*clip.mp4 --fps max"),
        ("folder", UsageError, "is a folder: give one of its images"),
    ],
)
def test_what_is_no_image_is_an_error_that_says_what_to_give(
    name: str, kind: type[Exception], says: str, tmp_path: Path
) -> None:
    (tmp_path / "broken.png").write_bytes(b"no image")
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    write_video(tmp_path / "clip.mp4", 2)
    with pytest.raises(kind, match=says):
        read_image(str(tmp_path / name))


@pytest.mark.parametrize("source", ["camera:0", "synthetic:street", "rtsp://me:secret@host/stream"])
def test_a_source_that_is_no_file_is_no_image(source: str) -> None:
    with pytest.raises(UsageError, match="is no image: give an image file") as raised:
        read_image(source)
    assert "secret" not in str(raised.value)


def test_settings_that_make_no_sense_are_refused() -> None:
    null = (parse_spec("null"),)
    for number in (0, -1):
        with pytest.raises(UsageError, match=f"--number {number}: give 1 or more"):
            BenchSettings(engines=null, number=number)
    with pytest.raises(UsageError, match="give --engine ir as well"):
        BenchSettings(engines=null, against=Against.BENCHMARK_APP)


def test_an_engine_that_fails_is_a_row_that_says_where_and_the_others_go_on(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = iter(range(2))

    def pause(_: float) -> None:
        if next(served, None) is None:
            raise RuntimeError("the device went away")

    paused(monkeypatch, pause)
    failed, other = study(SLOW, "ir").rows(quietly)
    assert (failed.timed, failed.why) == (None, "it failed at inference 3: the device went away")
    assert timed(other).each.n == 20
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


def test_when_all_fail_it_is_an_error_after_their_rows(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    def pause(_: float) -> None:
        raise RuntimeError("no")

    paused(monkeypatch, pause)
    rows: Iterator[Benched] = study(SLOW).rows(quietly)
    assert next(rows).why == "it failed at inference 1: no"
    with pytest.raises(EngineError, match="none of the engines could run: it failed at inference 1: no"):
        next(rows)


def test_no_engine_that_can_run_is_an_error_before_anything_runs(study: Study) -> None:
    with pytest.raises(EngineUnavailable, match="none of the engines can run here: onnx"):
        study("onnx")


def test_an_unavailable_engine_is_a_row_that_says_why(study: Study) -> None:
    rows = list(study("onnx", "null").rows(quietly))
    assert [row.spec for row in rows] == ["onnx", "null"]
    assert "onnx needs a .onnx file" in rows[0].why
    assert as_dict(rows[0])["mean_ms"] is None


@pytest.mark.skipif(set(devices()) != {"CPU"}, reason="AUTO has more than a CPU here")
def test_engines_with_the_same_configuration_are_called_the_same(study: Study) -> None:
    rows = list(study("ir", "ir-auto", "ir-auto-shared", "ir", number=1).rows(quietly))
    assert [(row.spec, row.same_as) for row in rows] == [("ir", None), ("ir-auto", "ir"), ("ir-auto-shared", None)]
    assert {row.devices for row in rows} == {("CPU",)}
    assert all(row.precision for row in rows)


def test_the_document_says_what_a_closed_loop_does_not_show(study: Study) -> None:
    bench = study("ir-primed", "ir-throughput", number=11)
    notes = document_of(bench, list(bench.rows(quietly)), interrupted=False)["notes"]
    assert any("resized to 64x64" in note and "640x480" in note for note in notes)
    assert any(note.startswith("ir-primed is not primed here") for note in notes)
    assert any(note.startswith("ir-throughput has one request under way") for note in notes)


def row(spec: str, mean: float | None) -> Benched:
    """A row of so many milliseconds; None for one that is unavailable."""
    if mean is None:
        return Benched(spec, "CPU", why="it is not here")
    return Benched(spec, "CPU", timed=Timed(mean, 1000 / mean, Statistics(20, mean, mean, {}, {})))


@pytest.mark.parametrize(
    ("rows", "requested", "says"),
    [
        ([row("ir", 8.0)], 1, "Back to back ir takes 8.00 ms an image (125.00 FPS)."),
        (
            [row("pytorch", 40.0), row("ir", 10.0), row("benchmark_app", 5.0), row("ir-gpu", None)],
            5,
            "Back to back ir has the lowest mean, 10.00 ms an image (100.00 FPS), pytorch the highest, 40.00 ms; "
            "streamer compare shows which difference is more than noise; 1 unavailable; 2 not reached.",
        ),
        ([row("ir-gpu", None)], 2, "Nothing was measured; 1 unavailable; 1 not reached."),
    ],
)
def test_the_answer_names_the_lowest_mean_and_what_is_missing(rows: list[Benched], requested: int, says: str) -> None:
    assert plain_answer(rows, requested) == says
