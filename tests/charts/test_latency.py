"""The chart of a run: drawn from the ledger whatever the outcomes of the frames, with no extreme lost."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.charts.decimate import curve, envelope
from streamer.charts.latency import draw_latency, latency_figure
from streamer.errors import SinkError
from streamer.ledger.record import FrameRecord, Outcome
from streamer.rundir.columns import NEVER, Columns, read_columns
from streamer.rundir.frames_csv import FRAME_COLUMNS, frame_row
from streamer.stats.age import AgeMeter
from tests.runs import ROOT, environment
from tests.studies.test_charts import covered, text_of

PERIOD_US = 33_333
VERMILLION_BGR = (0, 94, 213)


def delivered(frame: int, latency_us: int = 20_000) -> FrameRecord:
    """A frame at 30 fps that took so long."""
    due = frame * PERIOD_US
    detected = due + latency_us - 3_000
    return FrameRecord(
        0, frame, due, due, due + 5, 0, due + 200, due + 900, due + 900, detected - 100, detected, detected + 50,
        due + latency_us, Outcome.DELIVERED, "", False, 1,
    )  # fmt: skip


def dropped(frame: int) -> FrameRecord:
    """A frame at 30 fps that found the queue full."""
    due = frame * PERIOD_US
    return FrameRecord(0, frame, due, due, due + 5, outcome=Outcome.DROPPED, reason="queue_full")


def write_run(directory: Path, records: Iterable[FrameRecord], **run: Any) -> dict[str, Any]:
    """A run directory with these frames; returns its manifest, ``run`` being changes to that part of it."""
    lines = [FRAME_COLUMNS + "\n", *map(frame_row, records)]
    (directory / "frames.csv").write_text("".join(lines), encoding="utf-8")
    return {
        "streamer": "0.1.0",
        "verdict": "VALID",
        "answer": "Sustains 30 fps: p95 24.5 ms (at most 25.1), nothing dropped.",
        "source": {"uri": "/videos/street.mp4"},
        "streams": [{"stream": 0}],
        "load": None,
        "faults": None,
        "model": {"name": "street"},
        "engine": {
            "spec": "ir",
            "execution_devices": ["CPU"],
            "config_in_force": {"INFERENCE_PRECISION_HINT": "bf16"},
        },
        "machine": {"cpu": "a CPU", "cores": 4, "usable_cores": 2},
        "run": {
            "fps": "30000/1001",
            "closed_loop": False,
            "policy": "drop-oldest",
            "queue": 1,
            "deadline_ms": 33.333,
            "video": "delivered",
            "started": "2026-11-24T11:17:48.389+00:00",
            **run,
        },
    }


def picture(path: Path) -> npt.NDArray[np.uint8]:
    """The pixels of a PNG."""
    assert path.read_bytes().startswith(b"\x89PNG")
    image = cv2.imread(str(path))
    assert image is not None
    return image.astype(np.uint8)


def pixels_of(path: Path, bgr: tuple[int, int, int]) -> int:
    """How many pixels have exactly this colour."""
    return int((picture(path) == bgr).all(axis=2).sum())


def test_the_chart_of_a_run_is_a_png_at_least_1200_pixels_wide(tmp_path: Path) -> None:
    manifest = write_run(tmp_path, map(delivered, range(200)))
    path = draw_latency(tmp_path, manifest)
    assert path == tmp_path / "latency.png"
    height, width, _ = picture(path).shape
    assert width >= 1200
    assert height >= 600
    assert sorted(file.name for file in tmp_path.iterdir()) == ["frames.csv", "latency.png"], (
        "no scratch file is left"
    )


def test_dropped_frames_are_marked(tmp_path: Path) -> None:
    manifest = write_run(tmp_path, map(delivered, range(100)))
    assert pixels_of(draw_latency(tmp_path, manifest), VERMILLION_BGR) == 0
    write_run(tmp_path, (dropped(n) if n % 3 == 0 else delivered(n) for n in range(100)))
    assert pixels_of(draw_latency(tmp_path, manifest), VERMILLION_BGR) >= 33


@pytest.mark.parametrize(
    ("records", "run"),
    [
        ([], {}),
        ([delivered(0)], {}),
        ([dropped(0)], {}),
        ([dropped(n) for n in range(30)], {}),
        ([delivered(n) for n in range(5)], {"deadline_ms": None}),
        ([delivered(n) for n in range(50)], {"deadline_ms": 1e6}),
        ([delivered(n) for n in range(50)], {"closed_loop": True, "fps": "max", "policy": "wait", "queue": 0}),
        ([delivered(n, 10_000_000 if n == 7 else 9_000) for n in range(3_000)], {}),
        ([FrameRecord(0, 0, 0, 0, outcome=outcome) for outcome in Outcome], {}),
        ([FrameRecord(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, Outcome.DELIVERED) for _ in range(20)], {}),
    ],
    ids=[
        *("no frame", "one frame", "one dropped", "all dropped", "five frames", "far deadline", "closed loop"),
        *("an outlier", "every outcome", "all at once"),
    ],
)
def test_any_run_can_be_drawn(records: list[FrameRecord], run: dict[str, Any], tmp_path: Path) -> None:
    assert picture(draw_latency(tmp_path, write_run(tmp_path, records, **run))).std() > 1


@pytest.mark.parametrize("nice", [0, 5], ids=["a short caption", "one of three lines"])
def test_a_load_and_faults_are_named_in_the_caption_which_covers_no_other_words(nice: int, tmp_path: Path) -> None:
    manifest = write_run(tmp_path, map(delivered, range(200)))
    manifest["load"] = {
        "asked": {"cpu_cores": 1.5, "memory_mb": 2000.0, "io_mb_s": 50.0 if nice else 0, "nice": nice}
    }
    manifest["faults"] = [{"kind": "stall"}]
    if nice:
        manifest["engine"]["spec"] = "ir-auto-shared,INFERENCE_PRECISION_HINT=f32"
    figure = latency_figure(read_columns(tmp_path / "frames.csv"), manifest)
    caption = " ".join(text_of(figure).split())
    assert "under load: 1.5 cores busy, 2000 MB held" in caption
    assert "1 fault on purpose" in caption
    assert covered(figure) == []


def test_names_that_look_like_formulas_or_hold_odd_letters_are_drawn_as_they_are(tmp_path: Path) -> None:
    manifest = write_run(tmp_path, map(delivered, range(20)))
    manifest["source"]["uri"] = "/videos/$\\frac{1_^$ 日本 \udcff\n.mp4"
    manifest["answer"] = "It costs $5 and $\\undefined$."
    draw_latency(tmp_path, manifest)


def test_a_chart_that_cannot_be_written_is_one_error_and_leaves_nothing(tmp_path: Path) -> None:
    manifest = write_run(tmp_path, [delivered(0)])
    (tmp_path / "latency.png").mkdir()
    with pytest.raises(SinkError, match=r"cannot write .*latency\.png"):
        draw_latency(tmp_path, manifest)
    assert not list(tmp_path.glob("*.writing"))


def test_a_ledger_that_is_missing_or_none_is_one_error(tmp_path: Path) -> None:
    manifest = write_run(tmp_path, [delivered(0)])
    (tmp_path / "frames.csv").write_text("what,is,this\n1,2,3\n")
    with pytest.raises(SinkError, match=r"not the columns"):
        draw_latency(tmp_path, manifest)
    (tmp_path / "frames.csv").unlink()
    with pytest.raises(SinkError, match=r"cannot draw"):
        draw_latency(tmp_path, manifest)


def test_columns_are_read_in_the_order_of_schedule_and_a_torn_line_is_left_out(tmp_path: Path) -> None:
    write_run(tmp_path, [delivered(2, 90_000), dropped(1), delivered(0)])
    with (tmp_path / "frames.csv").open("a") as file:
        file.write(frame_row(delivered(3))[:-20])
    columns = read_columns(tmp_path / "frames.csv")
    assert columns.scheduled.tolist() == [0, PERIOD_US, 2 * PERIOD_US]
    assert columns.latency.tolist() == [20_000, NEVER, 90_000]
    assert columns.service.tolist() == [16_800, NEVER, 86_800]


@given(st.lists(st.one_of(st.none(), st.integers(0, 300_000)), max_size=60))
def test_age_is_what_the_run_itself_works_out(result_latencies: list[int | None]) -> None:
    aged: list[int] = []
    meter = AgeMeter(aged.append)
    due = [n * PERIOD_US for n in range(len(result_latencies))]
    for at, latency in zip(due, result_latencies, strict=True):
        meter.tick(at)
        if latency is not None:
            meter.detected(at, at + latency)
    meter.finish()
    known = np.array([NEVER if latency is None else latency for latency in result_latencies], np.int64)
    ages = Columns(
        np.zeros(len(due), np.int16), np.array(due, np.int64), known, known, known, np.zeros(len(due), np.int8)
    ).age()
    assert ages[ages != NEVER].tolist() == aged


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=300), st.integers(1, 50))
def test_no_extreme_is_lost_between_slices(values: list[int], slices: int) -> None:
    at = np.arange(len(values), dtype=np.int64) * PERIOD_US
    thin = envelope(at, np.array(values, np.int64), slices)
    assert len(thin.slice) <= slices
    assert [thin.high.max(), thin.low.min()] == [max(values), min(values)]
    assert ((thin.low <= thin.middle) & (thin.middle <= thin.high)).all()


def test_an_outage_is_a_gap_in_the_outline() -> None:
    at = np.array([*range(0, 1_000, 10), *range(9_000, 10_000, 10)], np.int64)
    thin = envelope(at, np.full(200, 7, np.int64), 100)
    _, y = thin.outline(thin.high)
    assert np.isnan(y).sum() == 1
    assert set(y[~np.isnan(y)]) == {7.0}


@pytest.mark.parametrize("points", [10, 5_000])
def test_the_curve_ends_at_the_highest_percentile_that_may_be_shown(points: int) -> None:
    values = np.arange(1, 1_001, dtype=np.int64)
    drawn = curve(values, points)
    assert drawn is not None
    assert {name: us for name, (us, _) in drawn.percentiles.items()} == {
        "p50": 500,
        "p90": 900,
        "p95": 950,
        "p99": 990,
    }
    assert drawn.at[0] == 1
    assert drawn.at[-1] == pytest.approx(100)
    assert (drawn.us[0], drawn.us[-1]) == (1, 990)
    assert curve(values[:10], points) is None


def test_drawing_imports_no_pyplot_and_writes_nothing_into_the_home(tmp_path: Path) -> None:
    home, run = tmp_path / "home", tmp_path / "run"
    home.mkdir()
    run.mkdir()
    (run / "run.json").write_text(json.dumps(write_run(run, map(delivered, range(20)))))
    code = (
        "import json, os, sys\nfrom pathlib import Path\nfrom streamer.charts.latency import draw_latency\n"
        "assert 'matplotlib' not in sys.modules\nbefore = dict(os.environ)\n"
        "draw_latency(Path('.'), json.loads(Path('run.json').read_text()))\n"
        "assert 'matplotlib' in sys.modules and 'matplotlib.pyplot' not in sys.modules\n"
        "assert dict(os.environ) == before"
    )
    more = {"HOME": str(home), "XDG_CACHE_HOME": str(home), "XDG_CONFIG_HOME": str(home)}
    more["STREAMER_CACHE"] = str(tmp_path / "fresh")
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, cwd=run, env=environment(more), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(home.rglob("*")) == []
    assert (tmp_path / "fresh" / "matplotlib").is_dir()
    assert (run / "latency.png").is_file()


def test_no_chart_is_tied_to_pyplot() -> None:
    for path in (ROOT / "streamer" / "pictures").glob("*.py"):
        assert "import pyplot" not in path.read_text()
        assert "matplotlib.pyplot" not in path.read_text()
