"""The charts of studies: all words can be read, nothing covers anything, and any study can be drawn."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.charts.captions import fold
from streamer.charts.line_labels import spread
from streamer.charts.palette import style_of
from streamer.errors import SinkError
from streamer.ledger.record import FrameRecord, Outcome
from streamer.rundir.frames_csv import FRAME_COLUMNS, frame_row
from streamer.studies.compare.chart import comparison_figure, draw_comparison
from streamer.studies.pace.chart import draw_pace, pace_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.patches import Rectangle
    from matplotlib.text import Text

PERIOD_US = 33_333
MACHINE = {"cpu": "AMD EPYC 9V74 80-Core Processor", "cores": 4, "usable_cores": 2}
LONG = "ir-auto-shared,INFERENCE_NUM_THREADS=1,PERFORMANCE_HINT=THROUGHPUT,shared=on,prime=off"
MANY = (
    *("pytorch", "onnx", "ir", "ir-gpu", "ir-threads", "ir-auto", "ir-auto-shared", "onnxruntime", "ir-graph"),
    *("ir-int8", "ir-fast", "ir-primed", "ir-throughput", "ir-auto-shared,threads=2,precision=f32", LONG, "null"),
)


def write_frames(directory: Path, latencies_us: Sequence[int | None]) -> None:
    """A ``frames.csv`` of frames that were detected so long after they were due, or dropped."""
    directory.mkdir(parents=True, exist_ok=True)
    lines = [FRAME_COLUMNS + "\n"]
    for number, us in enumerate(latencies_us):
        due = number * PERIOD_US
        if us is None:
            record = FrameRecord(0, number, due, due, due + 5, outcome=Outcome.DROPPED, reason="queue_full")
        else:
            at = due + us
            stamps = (due, due, due + 5, 0, due + 10, due + 20, due + 20, at - 10, at, at + 50, at + 2_000)
            record = FrameRecord(0, number, *stamps, Outcome.DELIVERED, "", False, 1)
        lines.append(frame_row(record))
    (directory / "frames.csv").write_text("".join(lines), encoding="utf-8")


def engine(name: str, directory: str, median: float = 20.0, **changes: Any) -> dict[str, Any]:
    """An engine's row, of 200 frames."""
    return {
        "engine": name,
        "speed": "no difference",
        "why": None,
        "agreement": "agrees",
        "agreement_share": 0.998,
        "precision": "bf16",
        "devices": "CPU",
        "same_as": None,
        "frames": {"scheduled": 200},
        "drops_percent": 0.0,
        "result_latency_ms": {"p50": median, "p95": None, "p99": None},
        "median_ms": {"value": median, "low": median - 1, "high": median + 2},
        "ratio_p50": {"value": 0.98, "low": 0.97, "high": 1.01},
        "slo": None,
        "verdict": "VALID",
        "directory": directory,
        **changes,
    }


def not_here(name: str) -> dict[str, Any]:
    """The row of an engine that cannot run."""
    row = dict.fromkeys(engine(name, ""))
    return {**row, "engine": name, "speed": "unavailable", "why": "no GPU", "agreement": "unchecked"}


def comparison(*engines: dict[str, Any], **run: Any) -> dict[str, Any]:
    """A document; the first engine is the baseline."""
    return {
        "streamer": "0.1.0",
        "answer": "Use ir-fast: 15.0 ms from due to boxes in the median, 0.74 times pytorch's (0.73 to 0.76).",
        "source": {"uri": "/videos/street.mp4"},
        "model": {"name": "street"},
        "machine": MACHINE,
        "run": {
            "fps": "30000/1001",
            "closed_loop": False,
            "policy": "drop-oldest",
            "queue": 1,
            "video": "none",
            "frames": 200,
            "rounds": 24,
            "interleaved": True,
            "interrupted": None,
            "started": "2026-11-24T11:17:48.389+00:00",
            **run,
        },
        "baseline": engines[0]["engine"],
        "engines": list(engines),
    }


def of_many() -> dict[str, Any]:
    """A document with every kind of row, of engines with long names, some of which cannot run."""
    rows = [not_here(name) if "gpu" in name else engine(name, name[:14]) for name in MANY]
    rows[0] |= {"speed": "baseline", "ratio_p50": None, "drops_percent": 50.2, "precision": "f32"}
    rows[5]["same_as"] = rows[-2]["same_as"] = "ir-auto-shared,threads=1,precision=f32"
    rows[10] |= {"agreement": "disagrees", "agreement_share": 0.71, "slo": "missed", "drops_percent": 2.9}
    rows[12]["verdict"] = "INVALID"
    document = comparison(*rows)
    document["answer"] = "; ".join([document["answer"].rstrip("."), *(f"no different: {name}" for name in MANY[:12])])
    return document


def rate(name: str, fps: str, infer: float = 20.0, **changes: Any) -> dict[str, Any]:
    """An engine's row at a rate."""
    closed_loop = fps == "max"
    return {
        "engine": name,
        "fps": fps,
        "closed_loop": closed_loop,
        "delivered_rate": 48.0 if closed_loop else 2.0,
        "frames": {"scheduled": 200},
        "drops_percent": 0.0,
        "infer_median_ms": {"value": infer, "low": infer - 1, "high": infer + 1},
        "result_latency_ms": {"p50": 1.2 * infer, "p95": 1.5 * infer, "p99": None},
        "age_ms": None if closed_loop else {"p50": 100.0, "p95": None, "p99": None},
        "idle_penalty": None if closed_loop else {"value": 1.31, "low": 1.2, "high": 1.4},
        "slo": None,
        "why": None,
        **changes,
    }


def pace(*rates: dict[str, Any], slo: str | None = None) -> dict[str, Any]:
    """A document of a study of pace."""
    return {
        "streamer": "0.1.0",
        "answer": "ir: an inference takes 1.31 times as long at 2 fps as back to back; it keeps up with 30 fps.",
        "source": {"uri": "/videos/street.mp4"},
        "model": {"name": "street"},
        "machine": MACHINE,
        "run": {
            "policy": "drop-oldest",
            "queue": 1,
            "video": "none",
            "seconds": 20.0,
            "rounds": 8,
            "interrupted": False,
            "started": "2026-11-24T11:17:48.389+00:00",
        },
        "slo": slo,
        "highest_rate": None,
        "engines": list(dict.fromkeys(row["engine"] for row in rates)),
        "rates": list(rates),
    }


def shown(figure: Figure) -> list[Text]:
    """The texts that can be read in a chart, without the labels of ticks beyond the ends of an axis."""
    from matplotlib.axis import Axis
    from matplotlib.text import Text

    figure.canvas.draw()
    beyond = {
        label
        for axis in figure.findobj(Axis)
        if isinstance(axis, Axis)
        for at, label in zip(axis.get_ticklocs(), axis.get_ticklabels(), strict=True)
        if not min(axis.get_view_interval()) <= at <= max(axis.get_view_interval())
    }
    found = [text for text in figure.findobj(Text) if isinstance(text, Text) and text not in beyond]
    return [text for text in found if text.get_visible() and text.get_text().strip()]


def text_of(figure: Figure) -> str:
    """All that can be read in a chart, a line for each line."""
    return "\n".join(text.get_text() for text in shown(figure))


def covered(figure: Figure) -> list[tuple[str, ...]]:
    """Texts that cover one another, and texts that leave the chart."""
    boxes = [(text.get_text(), text.get_window_extent().padded(-1)) for text in shown(figure)]
    whole = figure.bbox
    outside: list[tuple[str, ...]] = [
        (text,) for text, box in boxes if min(box.x0, box.y0) < 0 or box.x1 > whole.x1 or box.y1 > whole.y1
    ]
    return outside + [(one, other) for (one, a), (other, b) in combinations(boxes, 2) if a.overlaps(b)]


def drawn(document: dict[str, Any], frames: int = 200) -> Figure:
    """The chart of a comparison whose engines all took 18 to 24 ms."""
    us = np.linspace(18_000, 24_000, frames).astype(np.int64)
    return comparison_figure(document, [None if row["directory"] is None else us for row in document["engines"]])


def xs(line: Line2D) -> list[float]:
    """The x of a line's points."""
    return [float(x) for x in np.asarray(line.get_xdata())]


def ys(line: Line2D) -> list[float]:
    """The y of a line's points."""
    return [float(y) for y in np.asarray(line.get_ydata())]


def bars(figure: Figure) -> list[Rectangle]:
    """The bars, from the top."""
    from matplotlib.patches import Rectangle

    return [bar for bar in figure.axes[0].patches if isinstance(bar, Rectangle)]


def to_hex(colour: Any) -> str:
    """A colour as matplotlib writes it, without its transparency."""
    from matplotlib.colors import to_hex as written

    return written(colour)


def test_a_comparison_is_a_png_1200_pixels_wide(tmp_path: Path) -> None:
    for name in ("ir", "ir-fast"):
        write_frames(tmp_path / name, [20_000] * 200)
    path = draw_comparison(tmp_path, comparison(engine("ir", "ir"), engine("ir-fast", "ir-fast")))
    assert path == tmp_path / "compare.png"
    image = cv2.imread(str(path))
    assert image is not None
    assert image.shape[1] == 1200
    assert image.shape[0] >= 800
    assert not list(tmp_path.glob("*.writing"))


TWO = (engine("pytorch", "pytorch", speed="baseline", ratio_p50=None), engine("ir-fast", "ir-fast", 15.0))


@pytest.mark.parametrize(
    ("document", "frames"),
    [
        (comparison(*TWO), 200),
        (comparison(engine("ir", "ir", speed="baseline", ratio_p50=None), not_here("ir-gpu")), 200),
        (comparison(*TWO, fps="max", closed_loop=True), 20),
        (comparison(*(row | {"median_ms": None, "ratio_p50": None} for row in TWO)), 200),
        (of_many(), 10_000),
    ],
    ids=["two", "one", "closed loop", "no interval", "many"],
)
def test_no_words_of_a_comparison_cover_others_or_leave_the_chart(document: dict[str, Any], frames: int) -> None:
    assert covered(drawn(document, frames)) == []


def test_the_search_for_covered_words_finds_them() -> None:
    figure = drawn(comparison(*TWO))
    figure.text(0.98, 0.985, "beyond the edge")
    figure.text(0.03, 0.985, "over the answer", va="top")
    found = [text for texts in covered(figure) for text in texts]
    assert "beyond the edge" in found
    assert "over the answer" in found


def test_each_engine_is_named_with_its_milliseconds_its_precision_and_its_verdict() -> None:
    slower = engine(
        "ir", "ir", 61.25, speed="slower", same_as="onnx", ratio_p50={"value": 3.06, "low": 3, "high": 12}
    )
    text = text_of(drawn(comparison(*TWO, slower)))
    for words in ("20.0 ms", "15.0 ms", "61.2 ms", "bf16, same as onnx", "against pytorch", "baseline"):
        assert words in text.splitlines()
    for words in ("0.98x, no difference", "0.97 to 1.01", "3.06x, slower", "3.00 to 12.0"):
        assert words in text.splitlines()
    for words in ("source street.mp4", "200 frames in 24 rounds", "29.97 fps, drop-oldest, queue 1", "model street"):
        assert words in text
    assert "AMD EPYC 9V74 80-Core Processor, 2 of 4 cores" in text
    assert "Use ir-fast" in text


def test_what_speaks_against_an_engine_stands_beside_its_bar() -> None:
    text = " ".join(text_of(drawn(of_many())).splitlines())
    assert "2.9 % dropped, disagrees (0.71), objective missed" in text
    assert "50 % dropped" in text
    assert "INVALID" in text
    assert "dropped" not in text_of(drawn(comparison(*TWO)))


def test_an_engine_that_cannot_run_is_an_empty_place_that_says_so() -> None:
    figure = drawn(comparison(*TWO, not_here("ir-gpu")))
    assert "not here" in text_of(figure)
    assert [bar.get_width() for bar in bars(figure)] == [20.0, 15.0]


def test_bars_are_as_long_as_the_medians_on_a_linear_axis_from_0_however_they_differ() -> None:
    far = engine("pytorch", "p", 3_000.0)
    figure = drawn(comparison(engine("null", "n", 1.2, speed="baseline", ratio_p50=None), far))
    axes = figure.axes[0]
    assert axes.get_xscale() == "linear"
    assert axes.get_xlim()[0] == 0
    assert [(bar.get_x(), bar.get_width()) for bar in bars(figure)] == [(0, 1.2), (0, 3_000.0)]
    whiskers = [np.asarray(path.vertices)[:, 0].tolist() for one in axes.collections for path in one.get_paths()]
    assert whiskers == [pytest.approx([0.2, 3.2]), pytest.approx([2_999.0, 3_002.0])]


def test_a_median_without_an_interval_has_no_whisker_and_no_verdict() -> None:
    few = {"median_ms": None, "ratio_p50": None}
    figure = drawn(comparison(TWO[0] | few, TWO[1] | few))
    assert [bar.get_width() for bar in bars(figure)] == [20.0, 15.0]
    assert not figure.axes[0].collections
    assert text_of(figure).count("too few frames to tell") == 1


def test_too_few_frames_are_not_drawn_and_the_chart_says_so() -> None:
    nothing = {"median_ms": None, "ratio_p50": None, "result_latency_ms": {"p50": None, "p95": None, "p99": None}}
    figure = drawn(comparison(TWO[0] | nothing, TWO[1] | nothing), frames=10)
    assert not bars(figure)
    assert "p50 needs 11 frames" in text_of(figure)
    assert covered(figure) == []


def test_no_two_of_sixteen_engines_look_alike_and_a_curve_looks_like_its_bar() -> None:
    assert len({style_of(place) for place in range(16)}) == 16
    figure = drawn(comparison(*TWO))
    curves = [line for line in figure.axes[1].lines if len(xs(line)) > 2]
    assert [to_hex(curve.get_color()) for curve in curves] == [to_hex(bar.get_facecolor()) for bar in bars(figure)]


def test_curves_end_at_the_highest_percentile_for_which_their_frames_are_enough() -> None:
    many, few = np.arange(1, 1_001, dtype=np.int64), np.arange(1, 101, dtype=np.int64)
    figure = comparison_figure(comparison(*TWO), [many, few])
    ends = [xs(line)[-1] for line in figure.axes[1].lines if len(xs(line)) > 2]
    assert ends == [pytest.approx(100), pytest.approx(10)]


def test_frames_beyond_those_that_count_are_not_drawn(tmp_path: Path) -> None:
    document = comparison(*TWO)
    for row, frames in ((TWO[0], 200), (TWO[1], 260)):
        write_frames(tmp_path / row["directory"], [20_000] * 200 + [900_000] * (frames - 200))
    with_more = draw_comparison(tmp_path, document).read_bytes()
    write_frames(tmp_path / "ir-fast", [20_000] * 200)
    assert draw_comparison(tmp_path, document).read_bytes() == with_more
    write_frames(tmp_path / "ir-fast", [20_000] * 100 + [900_000] * 100)
    assert draw_comparison(tmp_path, document).read_bytes() != with_more


def test_the_chart_says_that_runs_were_not_interleaved_or_interrupted() -> None:
    assert "200 frames, not interleaved" in text_of(drawn(comparison(*TWO, interleaved=False, rounds=0)))
    assert "24 rounds, interrupted" in text_of(drawn(comparison(*TWO, interrupted=True)))


def test_a_comparison_that_cannot_be_read_or_written_is_one_error_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match=r"cannot draw .*compare\.png.*frames\.csv"):
        draw_comparison(tmp_path, comparison(*TWO))
    for row in TWO:
        write_frames(tmp_path / row["directory"], [20_000, None] * 100)
    (tmp_path / "compare.png").mkdir()
    with pytest.raises(SinkError, match=r"cannot write .*compare\.png"):
        draw_comparison(tmp_path, comparison(*TWO))
    (tmp_path / "ir-fast" / "frames.csv").write_text("what,is,this\n")
    with pytest.raises(SinkError, match="not the columns"):
        draw_comparison(tmp_path, comparison(*TWO))
    assert not list(tmp_path.glob("*.writing"))


def test_names_that_look_like_formulas_or_hold_odd_letters_are_drawn_as_they_are() -> None:
    odd = "ir ($\\frac{1_^$ \udcff\n)"
    document = comparison(engine(odd, "a", speed="baseline", ratio_p50=None), engine("ir", "b", same_as=odd))
    document["source"]["uri"] = f"/videos/{odd}.mp4"
    assert "$\\frac{1_^$" in text_of(drawn(document))
    document = pace(rate(odd, "2"), rate(odd, "max"), slo="latency.p99<$\\frac{1_^$")
    assert "ir ($\\frac{1_^$" in text_of(pace_figure(document))


@given(st.lists(st.tuples(st.floats(-10, 10), st.floats(0.1, 1)), min_size=1, max_size=8))
def test_names_at_the_ends_of_curves_keep_their_order_and_overlap_nowhere(ends: list[tuple[float, float]]) -> None:
    wanted, sizes = [at for at, _ in ends], [size for _, size in ends]
    height = 8.0
    places = spread(wanted, sizes, height)
    order = sorted(range(len(ends)), key=lambda one: wanted[one])
    edges = [edge for one in order for edge in (places[one] - sizes[one] / 2, places[one] + sizes[one] / 2)]
    assert edges == pytest.approx(sorted(edges))
    assert edges[0] >= -1e-9
    assert edges[-1] <= height + 1e-9


def test_names_that_have_room_stay_at_the_ends_of_their_curves() -> None:
    assert spread([5.0, 1.0, 3.0], [1.0, 1.0, 1.0], 8.0) == [5.0, 1.0, 3.0]


def test_a_long_spec_is_broken_after_its_commas_and_what_does_not_fit_is_cut_off() -> None:
    assert fold("ir-auto-shared,threads=2,precision=f32", 28, 3) == ["ir-auto-shared,threads=2,", "precision=f32"]
    assert fold("ir-auto-shared,threads=2", 28, 3) == ["ir-auto-shared,threads=2"]
    assert fold("a,b,c", 2, 2) == ["a,", "b\N{HORIZONTAL ELLIPSIS}"]
    assert fold("averylongname,b", 5, 3) == ["aver\N{HORIZONTAL ELLIPSIS}", "b"]
    assert fold("", 5, 3) == []


RATES = [rate("ir", "2", 24.0), rate("ir", "30000/1001", 21.0), rate("ir", "max", 16.0)]


def test_a_study_of_pace_is_a_png_1200_pixels_wide_or_one_error(tmp_path: Path) -> None:
    path = draw_pace(tmp_path, pace(*RATES))
    image = cv2.imread(str(path))
    assert image is not None
    assert (path, image.shape) == (tmp_path / "pace.png", (800, 1200, 3))
    path.unlink()
    path.mkdir()
    with pytest.raises(SinkError, match=r"cannot write .*pace\.png"):
        draw_pace(tmp_path, pace(*RATES))


def test_each_rate_has_a_tick_and_below_it_the_idle_penalty_and_the_drops() -> None:
    figure = pace_figure(pace(*RATES, rate("ir", "60", 17.0, drops_percent=53.6)))
    for axes in figure.axes:
        assert axes.get_xscale() == "log"
        assert axes.get_xticks() == pytest.approx([2, 30000 / 1001, 60])
        assert [label.get_text() for label in axes.get_xticklabels()] == ["2", "29.97", "60"]
    lines = text_of(figure).splitlines()
    assert lines.count("1.31") == 3
    assert lines.count("54 %") == 1
    assert "ir, as fast as it goes: 48.0 fps" in lines


def test_the_closed_loop_is_a_line_at_its_median_on_the_left_and_at_its_rate_on_the_right() -> None:
    left, right = pace_figure(pace(*RATES)).axes
    assert left.get_ylim()[0] == 0
    assert [16.0, 16.0] in [ys(line) for line in left.lines]
    assert [48.0, 48.0] in [xs(line) for line in right.lines]
    curves = [xs(line) for line in right.lines if len(xs(line)) > 2]
    assert all(48.0 not in curve for curve in curves), "it is no frame rate"


def test_without_a_closed_loop_there_is_no_penalty_and_no_line() -> None:
    rates = [row | {"idle_penalty": None} for row in RATES[:2]]
    text = text_of(pace_figure(pace(*rates)))
    assert "back to back (max)" not in text
    assert "as fast as it goes" not in text
    assert "times max" not in text


def test_a_closed_loop_far_beyond_the_rates_does_not_press_them_together() -> None:
    rates = [*RATES[:2], RATES[2] | {"delivered_rate": 3_333.0}]
    figure = pace_figure(pace(*rates))
    assert figure.axes[1].get_xlim()[1] < 60
    assert "as fast as it goes: 3,333 fps" in text_of(figure)


def test_rates_that_miss_the_objectives_are_hollow() -> None:
    rates = [RATES[0] | {"slo": "met"}, RATES[1] | {"slo": "missed"}]
    figure = pace_figure(pace(*rates, slo="latency.p99<33ms"))
    points = [line for line in figure.axes[1].lines if len(xs(line)) == 1]
    assert len(points) == 6
    for point in points:
        hollow = point.get_markerfacecolor() == "white"
        assert hollow == (xs(point)[0] > 2)
    assert "latency.p99<33ms" in text_of(figure)


def test_a_withheld_percentile_is_left_out_of_its_curve() -> None:
    withheld = RATES[0] | {"result_latency_ms": {"p50": 25.0, "p95": None, "p99": None}, "infer_median_ms": None}
    left, right = pace_figure(pace(withheld, *RATES[1:])).axes
    curves = [len(xs(line)) for line in right.lines if line.get_linestyle() != "None"]
    assert sorted(curves) == [1, 2, 2, 2], "p95 at one rate; p50, age and the closed loop's line at two places"
    assert left.lines


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (pace(rate("ir", "max")), "no frame rate has frames enough"),
        (pace(rate("ir", "2", frames=None, infer_median_ms=None, why="no GPU")), "not here: ir"),
        (
            pace(*(rate(name, fps, 20.0 + len(name)) for name in MANY for fps in ("2", "30", "max"))),
            "12 more in pace",
        ),
        (
            pace(
                *(
                    rate(LONG, fps, drops_percent=12.3, slo="missed")
                    for fps in ("1", "2", "5", "24", "25", "30000/1001", "30", "50", "60", "120", "max")
                ),
                slo="result_latency.p95<40ms,result_latency.p99<60ms,age.p95<200ms,drops<1%,missed<3%",
            ),
            "missed<3%",
        ),
        (pace(rate("null", "2", 0.0), rate("null", "max", 0.0)), "null, as fast"),
        (pace(*RATES), "20 s at each rate, in 8 rounds"),
    ],
    ids=["only max", "not here", "many engines", "many rates", "in no time", "one engine"],
)
def test_any_study_of_pace_can_be_drawn_and_no_words_cover_others(document: dict[str, Any], words: str) -> None:
    figure = pace_figure(document)
    assert words in text_of(figure)
    assert covered(figure) == []
