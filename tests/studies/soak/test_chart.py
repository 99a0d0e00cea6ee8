"""``soak.png``: legible for one window and for thousands, with what a reader looks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from benchmarks.soak_power import drifting, leaking, level, quiet, rows_of
from streamer.errors import SinkError
from streamer.studies.soak.chart import draw_soak, soak_figure
from streamer.studies.soak.windows_csv import WINDOWS, WindowRow, append_window, begin_windows
from tests.studies.soak.soaks import document_of
from tests.studies.test_charts import covered, text_of, xs, ys

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def windows(n: int, *, ends_in: float = 1.0) -> list[WindowRow]:
    random = np.random.default_rng(n)
    return rows_of(quiet(random, n) * np.linspace(1, ends_in, n), resident_mb=level(random, n), canary=["same"] * n)


def faulty() -> list[WindowRow]:
    """An hour with one of everything."""
    random = np.random.default_rng(3)
    rows = rows_of(drifting(0.01, quiet(random, 60)), resident_mb=leaking(1, level)(random, 60), canary=["same"] * 60)
    rows = [replace(row, children_mb=50.0) for row in rows]
    rows[20] = replace(rows[20], canary="changed", canary_changed=1, throttled=3)
    rows[30] = replace(rows[30], delivered=1_700, dropped=90, engine_error=10)
    rows[40] = replace(rows[40], latency_p50_ms=None, latency_p95_ms=None, latency_p99_ms=None)
    return rows


def resumed(n: int) -> list[WindowRow]:
    return [replace(row, part=row.window * 3 // n) for row in windows(n)]


def figure_of(rows: Sequence[WindowRow]) -> Figure:
    return soak_figure(document_of(rows), rows)


@pytest.mark.parametrize(
    "rows",
    [windows(1), windows(3), windows(60), faulty(), resumed(120), windows(400, ends_in=30), resumed(3000)],
    ids=["one", "three", "an hour", "faulty", "resumed", "thirtyfold growth", "days"],
)
def test_no_words_cover_others_or_leave_the_chart(rows: list[WindowRow]) -> None:
    assert covered(figure_of(rows)) == []


def test_a_soak_is_a_png_1200_pixels_wide(tmp_path: Path) -> None:
    begin_windows(tmp_path / WINDOWS)
    for row in faulty():
        append_window(tmp_path / WINDOWS, row)
    path = draw_soak(tmp_path, document_of(faulty()))
    assert path == tmp_path / "soak.png"
    image = cv2.imread(str(path))
    assert image is not None
    assert image.shape[1] == 1200
    assert not list(tmp_path.glob("*.writing"))


def test_windows_that_cannot_be_read_are_one_error(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match=r"cannot draw .*soak\.png: .*windows\.csv"):
        draw_soak(tmp_path, document_of(windows(3)))


def test_the_answer_stands_above_and_what_ran_on_what_below() -> None:
    text = " ".join(text_of(figure_of(faulty())).split())
    assert "Failed in 60 min: drift: p50" in text
    assert "ir-auto-shared" in text
    assert "model street" in text
    assert "windows of 60 s" in text
    assert "AMD EPYC 9V74 80-Core Processor, 2 of 4 cores" in text


def test_what_went_wrong_is_named_with_how_often() -> None:
    text = text_of(figure_of(faulty()))
    for words in ("dropped 90", "engine error 10", "changed 1", "same 59", "throttled", "trend: +1.00 MB a minute"):
        assert words in text.splitlines()


def test_a_soak_without_losses_says_so() -> None:
    assert "none of 108,000 frames was dropped or lost" in text_of(figure_of(windows(60)))


def test_memory_of_child_processes_has_a_panel_only_where_there_are_some() -> None:
    title = "Resident memory of the processes that it started"
    assert title in text_of(figure_of(faulty()))
    assert title not in text_of(figure_of(windows(60)))


def test_the_trend_that_was_assessed_is_drawn_from_its_start_to_its_end() -> None:
    axes = figure_of(windows(60, ends_in=1.5)).axes[0]
    (trend,) = [line for line in axes.lines if str(line.get_label()).startswith("trend of p50")]
    assert xs(trend) == [2, 60]
    assert ys(trend) == pytest.approx([14.2, 21.0], abs=0.7)
    assert not [line for line in figure_of(windows(3)).axes[0].lines if "trend" in str(line.get_label())]


def test_every_window_is_a_point_and_one_without_a_figure_breaks_the_line() -> None:
    lines = {str(line.get_label()): line for line in figure_of(faulty()).axes[0].lines}
    assert len(xs(lines["p50"])) == 60
    assert [window for window, ms in enumerate(ys(lines["p50"])) if np.isnan(ms)] == [40]


def test_a_percentile_that_no_window_has_frames_for_is_not_named() -> None:
    rows = [replace(row, latency_p99_ms=None, lateness_p99_ms=None) for row in windows(20)]
    text = text_of(figure_of(rows))
    assert "p95" in text.splitlines()
    assert "p99" not in text.splitlines()
    assert "no window had frames enough for p99" in text


def test_lines_break_and_a_dotted_line_stands_where_it_was_resumed() -> None:
    figure = figure_of(resumed(120))
    assert "minutes since the start, resumed where dotted" in text_of(figure)
    lines = {str(line.get_label()): line for line in figure.axes[0].lines}
    assert np.isnan(ys(lines["p50"])).sum() == 2
    assert [xs(line)[0] for line in figure.axes[-1].lines if xs(line)[0] == xs(line)[-1]] == [40, 80]


@pytest.mark.parametrize(("n", "unit"), [(2, "seconds"), (60, "minutes"), (400, "hours")])
def test_time_has_the_unit_that_people_would_use(n: int, unit: str) -> None:
    assert f"{unit} since the start" in text_of(figure_of(windows(n)))


def test_days_are_drawn_as_ranges_that_keep_the_extremes() -> None:
    rows = windows(3000)
    rows[1234] = replace(rows[1234], latency_p99_ms=35.0)
    figure = figure_of(rows)
    assert "median and range in 300 slices" in text_of(figure)
    highest = max(
        float(np.nanmax(np.asarray(path.vertices)[:, 1]))
        for band in figure.axes[0].collections
        for path in band.get_paths()
    )
    assert highest == pytest.approx(35.0)
