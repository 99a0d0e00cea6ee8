"""``streamer compare`` for a user: verdicts with confidence, scored detections, and reasons for what cannot run."""

from __future__ import annotations

import csv
import json
import os
import pty
import signal
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from streamer.engines.spec_parser import parse_spec
from streamer.models.find import find_model
from streamer.settings.settings import Settings
from streamer.studies.compare.study import CompareSettings, Comparison
from tests.runs import Finished, check_conserved, environment, manifest, read_until, rows, streamer
from tests.videos import write_video

PACED = ("--fps", "20", "--frames", "80", "--warmup", "0")
"""Four rounds of a second."""
BACK_TO_BACK = ("--fps", "max", "--frames", "80", "--warmup", "0")
"""Eight rounds of ten frames each, which a verdict needs."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a short clip."""
    place = tmp_path_factory.mktemp("compare")
    # Bright, so that the model is sure of what it sees.
    pictures = [np.full((48, 64, 3), 250, np.uint8) for _ in range(80)]
    write_video(place / "clip.mkv", pictures, rate=Fraction(10))
    return place


def compare(place: Path, tiny_model: Path, *arguments: str | Path, pace: tuple[str, ...] = BACK_TO_BACK) -> Finished:
    return streamer("compare", "clip.mkv", "--model", tiny_model, *pace, *arguments, cwd=place)


def document(done: Finished) -> dict[str, Any]:
    assert done.code in (0, 3), done.err
    found: dict[str, Any] = json.loads(done.out)
    return found


@pytest.fixture(scope="module")
def compared(place: Path, tiny_model: Path) -> dict[str, Any]:
    """Two engines that can run, one of them twice, and one that cannot; at a camera's pace."""
    engines = ("null,delay_ms=6", "ir-gpu", "ir", "ir")
    arguments = [part for engine in engines for part in ("--engine", engine)]
    return document(compare(place, tiny_model, *arguments, "--out", "out", "--json", pace=PACED))


def test_each_engine_has_a_row_and_a_run_of_the_same_frames(compared: dict[str, Any], place: Path) -> None:
    names = [row["engine"] for row in compared["engines"]]
    assert names == ["null,delay_ms=6", "ir-gpu", "ir", "ir (2)"]
    for row in compared["engines"]:
        if row["speed"] != "unavailable":
            directory = place / "out" / row["directory"]
            assert check_conserved(directory).total() == 80
            assert streamer("verify", directory, cwd=place).code == 0
    assert compared["run"]["rounds"] == 4
    assert compared["run"]["interleaved"] is True


@pytest.mark.slow
@pytest.mark.timing
def test_an_engine_that_takes_half_as_long_is_faster(place: Path, tiny_model: Path) -> None:
    engines = ("--engine", "null,delay_ms=6", "--engine", "null,delay_ms=3")
    slow, fast = document(compare(place, tiny_model, *engines, "--out", "half", "--json"))["engines"]
    assert slow["speed"] == "baseline"
    assert slow["ratio_p50"] is None
    assert fast["speed"] == "faster"
    assert 0.4 < fast["ratio_p50"]["low"] <= fast["ratio_p50"]["value"] <= fast["ratio_p50"]["high"] < 0.7


def test_an_engine_that_cannot_run_is_a_row_that_says_why(compared: dict[str, Any], place: Path) -> None:
    row = compared["engines"][1]
    assert row["speed"] == "unavailable"
    assert "needs device GPU" in row["why"]
    assert row["agreement"] == "unchecked"
    assert row["median_ms"] is None
    assert not (place / "out" / "ir-gpu").exists()


def test_an_engine_named_twice_runs_twice_as_one_configuration(compared: dict[str, Any]) -> None:
    first, second = compared["engines"][2:]
    assert first["same_as"] is None
    assert second["same_as"] == "ir"


def test_null_engines_are_not_scored_and_the_others_are(compared: dict[str, Any]) -> None:
    assert [row["agreement"] for row in compared["engines"]] == ["unchecked"] * 2 + ["agrees"] * 2
    assert compared["reference"] is not None
    assert compared["engines"][2]["agreement_share"] == 1.0


def test_without_ground_truth_accuracy_is_scored_against_the_reference(compared: dict[str, Any]) -> None:
    row = compared["engines"][2]
    assert compared["truth"] is None
    assert row["offline_map50"] == 1.0
    # The picture does not change: a tick late is as good, but for the first, at which nothing is known yet.
    assert 0.9 < row["streaming_map50"] <= 1.0
    assert any("offline" in note for note in compared["notes"])


def test_the_figures_are_those_of_the_runs(compared: dict[str, Any], place: Path) -> None:
    for row in compared["engines"]:
        if row["directory"] is None:
            continue
        run = manifest(place / "out" / row["directory"])
        for name in ("service_ms", "result_latency_ms", "latency_ms", "age_ms"):
            assert row[name] == {p: run[name][p] for p in ("p50", "p95", "p99")}, name
        assert row["frames"]["dropped"] == run["frames"]["dropped"]
        assert row["median_ms"]["value"] == row["result_latency_ms"]["p50"]
        assert row["peak_resident_mb"] == run["resources"]["peak_resident_mb"]


def test_the_table_has_the_documents_rows(compared: dict[str, Any], place: Path) -> None:
    with (place / "out" / "compare.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [row["engine"] for row in table] == [row["engine"] for row in compared["engines"]]
    assert float(table[2]["median_high_ms"]) == compared["engines"][2]["median_ms"]["high"]
    assert float(table[0]["service_p50_ms"]) == compared["engines"][0]["service_ms"]["p50"]
    assert table[1]["service_p50_ms"] == ""
    assert json.loads((place / "out" / "compare.json").read_text()) == compared


def test_the_chart_is_as_wide_as_documented(compared: dict[str, Any], place: Path) -> None:
    picture = cv2.imread(str(place / "out" / "compare.png"))
    assert picture is not None
    assert picture.shape[1] == 1200
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 50


@pytest.mark.slow
@pytest.mark.timing
def test_the_terminal_shows_both_tables_and_the_advice(place: Path, tiny_model: Path) -> None:
    done = compare(
        place, tiny_model, "--engine", "null,delay_ms=6", "--engine", "null,delay_ms=3", "--engine", "ir-npu"
    )
    assert done.code == 0, done.err
    assert done.err == ""
    assert "faster" in done.out
    assert "unavailable  ir-npu:" in done.out
    assert done.out.splitlines()[-1].startswith("Use null,delay_ms=3")


@pytest.mark.slow
@pytest.mark.timing
def test_another_baseline_can_be_requested(place: Path, tiny_model: Path) -> None:
    engines = ("--engine", "null,delay_ms=6", "--engine", "null,delay_ms=3")
    found = document(compare(place, tiny_model, *engines, "--baseline", "null,delay_ms=3", "--json", "--out", "b"))
    assert [row["speed"] for row in found["engines"]] == ["slower", "baseline"]


@pytest.mark.slow
def test_a_baseline_that_is_not_among_the_engines_is_added_as_the_first(place: Path, tiny_model: Path) -> None:
    engines = ("--engine", "null,delay_ms=6")
    found = document(compare(place, tiny_model, *engines, "--baseline", "null,delay_ms=2", "--json", "--out", "c"))
    assert [row["engine"] for row in found["engines"]] == ["null,delay_ms=2", "null,delay_ms=6"]


@pytest.mark.slow
def test_an_objective_that_is_missed_is_exit_code_3(place: Path, tiny_model: Path) -> None:
    engines = ("--engine", "null,delay_ms=6", "--engine", "null,delay_ms=2", "--slo", "latency.p50<5ms")
    done = compare(place, tiny_model, *engines, "--json", "--out", "slo")
    assert done.code == 3
    assert [row["slo"] for row in document(done)["engines"]] == ["missed", "met"]


@pytest.mark.slow
def test_finished_runs_that_took_turns_are_compared_by_their_rounds(place: Path, tiny_model: Path) -> None:
    engines = ("--engine", "null,delay_ms=4", "--engine", "null,delay_ms=2")
    before = document(compare(place, tiny_model, *engines, "--out", "first", "--json"))
    runs = ("first/null-delay_ms=4", "first/null-delay_ms=2")
    found = document(streamer("compare", *runs, "--json", "--out", "again", cwd=place))
    assert found["run"]["interleaved"] is True
    assert found["doubts"] == []
    for one, other in zip(found["engines"], before["engines"], strict=True):
        assert one["ratio_p50"] == other["ratio_p50"]
        assert one["agreement"] in ("unchecked", "agrees")
        assert (place / "again" / one["directory"] / "frames.csv").is_file()


def test_a_verdict_is_not_given_on_too_few_rounds(compared: dict[str, Any]) -> None:
    assert compared["engines"][2]["ratio_p50"] is None
    assert compared["engines"][2]["speed"] == "no difference"
    assert any("needs 8 rounds" in doubt for doubt in compared["doubts"])


@pytest.mark.slow
def test_a_comparison_of_runs_at_different_times_says_so_and_in_what_else_they_differ(
    place: Path, tiny_model: Path
) -> None:
    for name, fps in (("slow", "20"), ("quick", "40")):
        arguments = ("--engine", "null", "--model", tiny_model, "--fps", fps, "--warmup", "0", "--out", name)
        assert streamer("replay", "clip.mkv", *arguments, "--quiet", "--video", "none", cwd=place).code == 0
    found = document(streamer("compare", "slow", "quick", "--json", "--out", "unpaired", cwd=place))
    assert any("run.fps is 20, 40" in doubt for doubt in found["doubts"])
    assert any("not interleaved" in doubt for doubt in found["doubts"])
    assert found["run"]["interleaved"] is False
    assert [row["ratio_p50"] for row in found["engines"]] == [None, None], "they are too short to tell"
    assert [row["engine"] for row in found["engines"]] == ["null (slow)", "null (quick)"]


WRONG = {
    "an unknown engine among several": (("--engine", "null", "--engine", "irr"), 2, "did you mean ir"),
    "a wrong refinement": (("--engine", "null", "--engine", "ir,threads=none"), 2, "threads"),
    "all unavailable": (("--engine", "ir-gpu", "--engine", "ir-npu"), 1, "none of the engines can run here"),
    "a baseline that cannot run": (("--engine", "null", "--baseline", "ir-gpu"), 1, "baseline cannot run"),
    "too short for two rounds": (("--engine", "null", "--frames", "19"), 2, "too few for two rounds"),
    "engines and a group": (("--engine", "null", "--engines", "tutorial"), 2, "give one of the two"),
    "a wrong objective": (("--engine", "null", "--slo", "p99<1ms"), 2, "--slo"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_input_is_one_line_before_anything_runs(wrong: str, place: Path, tiny_model: Path) -> None:
    arguments, code, message = WRONG[wrong]
    done = compare(place, tiny_model, *arguments, "--out", "wrong")
    assert done.code == code
    assert message in done.error
    assert not (place / "wrong").exists()


def test_a_wrong_value_of_a_property_leaves_nothing_behind(place: Path, tiny_model: Path) -> None:
    engines = ("--engine", "null", "--engine", "ir,INFERENCE_PRECISION_HINT=f99")
    done = compare(place, tiny_model, *engines, "--out", "wrong")
    assert done.code == 2
    assert "f99" in done.error
    assert not (place / "wrong").exists()


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        (("nothing.mp4",), "no such file"),
        (("clip.mkv", "clip.mkv"), "is no finished run"),
        (("rtsp://user:secret@127.0.0.1/x",), "is live"),
        (("synthetic:street",), "has no end"),
    ],
)
def test_sources_that_cannot_be_compared_are_a_usage_error(
    sources: tuple[str, ...], message: str, place: Path, tiny_model: Path
) -> None:
    done = streamer("compare", *sources, "--engine", "null", "--model", tiny_model, cwd=place)
    assert done.code == 2
    assert message in done.error
    assert "secret" not in done.err


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_comparison_that_a_signal_interrupts_keeps_the_rounds_that_are_done(
    number: signal.Signals, place: Path, tiny_model: Path
) -> None:
    command = [sys.executable, "-m", "streamer", "compare", "clip.mkv", "--model", str(tiny_model), "--fps", "20"]
    command += ["--loop", "--duration", "10m", "--engine", "null", "--engine", "null,delay_ms=9", "--warmup", "0"]
    out = place / f"interrupted by {number.name}"
    command += ["--out", str(out)]
    terminal, inside = pty.openpty()
    process = subprocess.Popen(
        command, cwd=place, env=environment({"TERM": "xterm"}), stdout=inside, stderr=inside, start_new_session=True
    )
    os.close(inside)
    read_until(terminal, b"round 3 of")
    os.killpg(process.pid, number)  # as a terminal, a timeout and systemd do
    shown = read_until(terminal, None)
    assert process.wait() == 128 + number
    os.close(terminal)
    assert b"Traceback" not in shown
    found = json.loads((out / "compare.json").read_text())
    assert found["run"]["interrupted"] is True
    assert found["run"]["rounds"] >= 2
    assert found["run"]["frames"] == found["run"]["rounds"] * 20
    for row in found["engines"]:
        assert manifest(out / row["directory"])["verdict"] == "INTERRUPTED"
        assert len(rows(out / row["directory"] / "frames.csv")) >= found["run"]["frames"]
        assert streamer("verify", out / row["directory"], cwd=place).code == 0


def test_a_gap_in_the_times_of_the_source_is_reported_and_skipped_in_every_run(
    tiny_model: Path, tmp_path: Path
) -> None:
    ticks = [*range(40), *range(9_000, 9_020)]
    clip = write_video(tmp_path / "gap.mkv", 60, ticks=ticks, rate=Fraction(20), time_base=Fraction(1, 20))
    model = find_model(str(tiny_model), trust=False)

    def study(**options: Any) -> Comparison:
        replay = Settings(model=str(tiny_model), chart=False, **options)
        return Comparison(str(clip), model, CompareSettings(engines=(parse_spec("null"),), replay=replay), tmp_path)

    gap = "the times of gap.mkv have a gap of 448.1 s after frame 39: "
    assert [note for note in study().source_notes if gap in note] == study().source_notes
    assert study(frames=40).source_notes == [], "the runs do not come to it"
    assert study(fps=Fraction(20)).source_notes == []
    (note,) = study(skip_gaps=True).source_notes
    assert note == f"{gap}448.00 s are skipped (--skip-gaps)"
    assert [lane.settings.skip_gaps for lane in study(skip_gaps=True).lanes] == [True]


def test_runs_with_and_without_skip_gaps_differ_in_that_and_older_runs_count_as_without(
    place: Path, tiny_model: Path
) -> None:
    for name, more in (("kept", ()), ("skipped", ("--skip-gaps",)), ("older", ())):
        arguments = ("--engine", "null", "--model", tiny_model, "--warmup", "0", "--frames", "5")
        more = (*more, "--out", f"of-{name}")
        done = streamer("replay", "clip.mkv", *arguments, *more, "--video", "none", "--no-chart", cwd=place)
        assert done.code == 0
    older = manifest(place / "of-older")
    del older["run"]["skip_gaps"], older["streams"][0]["video_stream"]
    (place / "of-older" / "run.json").write_text(json.dumps(older))

    def doubts(*runs: str) -> str:
        done = streamer("compare", *runs, "--json", "--no-chart", "--out", "gaps", "--overwrite", cwd=place)
        return str(document(done)["doubts"])

    assert "run.skip_gaps is False, True" in doubts("of-kept", "of-skipped")
    assert "differ in more" not in doubts("of-kept", "of-older")
