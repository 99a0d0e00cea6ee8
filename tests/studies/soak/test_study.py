"""A soak: its windows hold every frame, an interrupted one goes on, and what its verdicts find ends with code 3."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from streamer.errors import UsageError
from streamer.ledger.record import Outcome
from streamer.pipeline.drop_policy import Policy
from streamer.pipeline.housekeeping import Progress
from streamer.pipeline.observer import Silent
from streamer.run.finished import Run
from streamer.run.run import run
from streamer.settings.as_json import settings_as_json, settings_of
from streamer.settings.settings import Settings
from streamer.studies.soak.soak_settings import SoakSettings
from streamer.studies.soak.study import Soak, resumed
from streamer.studies.soak.windows_csv import WINDOWS, WindowRow, read_windows
from tests import runs
from tests.videos import write_video


class Stops(Silent):
    """An observer that stops the run once so many frames were scheduled."""

    def __init__(self, frames: int) -> None:
        self._frames = frames

    def started(self, stop: Callable[[str], None], notes: list[str]) -> None:
        self._stop = stop

    def progress(self, progress: Progress) -> None:
        if progress.scheduled >= self._frames:
            self._stop("SIGINT")


def settings(**more: object) -> SoakSettings:
    """A soak of 3 s at 50 frames a second, in windows of half a second."""
    usual: dict[str, object] = {"engine": "null", "fps": 50, "duration": 3.0, "segment": 1.0}
    usual["policy"] = Policy.WAIT  # however busy the machine is, all are delivered
    return SoakSettings(Settings(**{**usual, **more}), window_s=0.5, canary_every_s=0.5)  # type: ignore[arg-type]


def ran(soak: Soak, observer: Silent | None = None) -> tuple[Run, list[WindowRow]]:
    """The next part of the soak, and the windows that it reported."""
    windows: list[WindowRow] = []
    of_part, watch = soak.part(windows.append)
    return anyio.run(run, soak.sources, of_part, observer, None, watch), windows


@pytest.mark.slow
def test_the_windows_hold_every_frame_once_and_the_canary_is_the_same_throughout(tmp_path: Path) -> None:
    soak = Soak([str(write_video(tmp_path / "clip.mp4", 30))], settings(), tmp_path / "soak")
    soak.begin()
    done, windows = ran(soak)
    assert windows == soak.rows == read_windows(tmp_path / "soak" / WINDOWS)
    assert (
        sum(row.scheduled for row in windows)
        == sum(row.delivered for row in windows)
        == done.manifest["frames"]["scheduled"]
    )
    assert [row.window for row in windows] == list(range(len(windows)))
    assert {row.canary for row in windows} <= {"same", None}
    assert sum(row.canary == "same" for row in windows) >= 4
    # The last stamp is in the last window, whose files are closed a little later.
    assert windows[-1].start_s < done.manifest["run"]["duration_s"] <= windows[-1].end_s
    document = soak.document()
    assert document["frames"]["delivered"] == 150
    assert {one["name"]: one["passed"] for one in document["verdicts"]}["losses"] is True


@pytest.mark.slow
def test_an_interrupted_soak_goes_on_where_it_was_with_the_time_that_is_left(tmp_path: Path) -> None:
    out = tmp_path / "soak"
    soak = Soak([str(write_video(tmp_path / "clip.mp4", 30))], settings(), out)
    soak.begin()
    first, before = ran(soak, Stops(50))
    assert first.interrupted == "SIGINT"
    again = resumed(out, [])
    assert again.settings == soak.settings
    second, after = ran(again)
    assert first.directory != second.directory
    lasted = sum(part.manifest["run"]["duration_s"] for part in (first, second))
    assert lasted == pytest.approx(3, abs=0.1)
    assert [row.part for row in read_windows(out / WINDOWS)] == [0] * len(before) + [1] * len(after)
    assert after[0].window == len(before)
    assert after[0].start_s == pytest.approx(first.manifest["run"]["duration_s"], abs=0.001)
    assert [part["verdict"] for part in again.document()["parts"]] == ["INTERRUPTED", "VALID"]
    assert resumed(out, []).done, "only its verdict is missing, and can still be given"
    for name in ("soak.json", "soak.png"):
        (out / name).touch()
    with pytest.raises(UsageError, match="has lasted as long as it was to"):
        resumed(out, [])


def test_a_soak_of_a_part_that_was_killed_goes_on_from_its_last_window(tmp_path: Path) -> None:
    out = tmp_path / "soak"
    soak = Soak([str(write_video(tmp_path / "clip.mp4", 30))], settings(), out)
    soak.begin()
    first, before = ran(soak, Stops(75))
    (first.directory / "run.json").unlink()
    again = resumed(out, [])
    _, after = ran(again)
    assert after[0].start_s == pytest.approx(before[-1].end_s, abs=0.001)
    document = again.document()
    assert [part["verdict"] for part in document["parts"]] == ["KILLED", "VALID"]
    frames = document["frames"]
    assert frames["scheduled"] == sum(frames[outcome.value] for outcome in Outcome), "the conservation law"
    (of_losses,) = (one for one in document["verdicts"] if one["name"] == "losses")
    assert "part 0 was killed" in of_losses["why"]


def test_passwords_are_not_kept_and_have_to_be_given_again(tmp_path: Path) -> None:
    soak = Soak(["rtsp://user:secret@127.0.0.1/stream"], settings(fps="source"), tmp_path / "soak")
    soak.begin()
    assert "secret" not in (tmp_path / "soak" / "asked.json").read_text()
    with pytest.raises(UsageError, match="passwords are not kept"):
        resumed(tmp_path / "soak", [])


@pytest.mark.parametrize(
    "given",
    [
        Settings(),
        Settings(engine="ir,threads=1", fps=30, streams=3, slo="drops<1%", max_age=50, load=("cpu=1", "nice=5")),
    ],
)
def test_settings_come_back_from_json_as_they_were(given: Settings) -> None:
    assert settings_of(json.loads(json.dumps(settings_as_json(given)))) == replace(given, fps=given.pace)


def test_the_command_writes_its_files_prints_a_line_per_window_and_says_what_it_found(tmp_path: Path) -> None:
    clip, out = write_video(tmp_path / "clip.mp4", 30), tmp_path / "soak"
    done = runs.streamer(
        *("soak", clip, "--engine", "null", "--fps", "50", "--duration", "2s", "--window", "500ms"),
        *("--slo", "latency.p50<0.001ms", "--out", out),
        cwd=tmp_path,
    )
    assert done.code == 3
    assert len(done.err.splitlines()) == 2 + len(read_windows(out / WINDOWS))
    assert {"soak.json", "soak.png", "windows.csv", "part-0"} <= {path.name for path in out.iterdir()}
    document = json.loads((out / "soak.json").read_text())
    assert document["verdict"] == "failed"
    assert document["answer"] in done.out


@pytest.mark.timing
def test_an_engine_that_leaks_fails_the_soak_which_says_how_fast_and_nothing_else_does(tmp_path: Path) -> None:
    plan, out = tmp_path / "plan.toml", tmp_path / "soak"
    plan.write_text('[[fault]]\nkind = "engine-leak"\nframe = 1\nkb = 100\n')
    clip = write_video(tmp_path / "clip.mp4", 30)
    done = runs.process(
        *(
            "soak",
            clip,
            "--engine",
            "null",
            "--fps",
            "50",
            "--duration",
            "14s",
            "--window",
            "500ms",
            "--canary",
            "2s",
        ),
        *("--faults", plan, "--video", "none", "--policy", "wait", "--out", out),
        cwd=tmp_path,
    )
    assert done.code == 3
    verdicts = {one["name"]: one for one in json.loads((out / "soak.json").read_text())["verdicts"]}
    leak = verdicts["memory"]
    assert leak["passed"] is False
    (part,) = leak["figures"]["parts"]
    assert part["a_minute"] == pytest.approx(100 * 50 * 60 / 1024, rel=0.1)
    assert part["leaks"] is True
    others = ("losses", "canary", "open files", "threads")
    assert [verdicts[name]["why"] for name in others if not verdicts[name]["passed"]] == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "give a SOURCE, or --resume DIR"),
        (["clip.mp4"], "say how long it is to last with --duration"),
        (["clip.mp4", "--duration", "1h", "--window", "0s"], "is not a duration"),
        (["clip.mp4", "--duration", "1h", "--keep", "much"], "is not a size"),
        (["--resume", "nowhere"], "there is no soak in it"),
        (["--resume", "nowhere", "--duration", "2h"], "--duration: a soak goes on as it was begun"),
        (["clip.mp4", "--duration", "1h", "--fps", "max"], "a soak is of a camera"),
    ],
)
def test_what_makes_no_sense_is_stated_in_a_line(arguments: list[str], says: str, tmp_path: Path) -> None:
    done = runs.streamer("soak", *arguments, cwd=tmp_path)
    assert done.code == 2
    assert says in done.error


def test_a_soak_that_cannot_begin_leaves_nothing_behind(tmp_path: Path) -> None:
    done = runs.streamer("soak", "nowhere.mp4", "--duration", "1h", "--out", "soak", cwd=tmp_path)
    assert done.code == 2
    assert not (tmp_path / "soak").exists()


def test_a_soak_under_way_is_neither_resumed_nor_overwritten(tmp_path: Path) -> None:
    out = tmp_path / "soak"
    clip = str(write_video(tmp_path / "clip.mp4", 30))
    soak = Soak([clip], settings(), out)
    soak.begin()
    refused: list[str] = []

    def look(_: WindowRow) -> None:
        for attempt in (lambda: resumed(out, []), Soak([clip], settings(overwrite=True), out).begin):
            with pytest.raises(UsageError) as error:
                attempt()
            refused.append(str(error.value))

    of_part, watch = soak.part(look)
    anyio.run(run, soak.sources, of_part, None, None, watch)
    assert "still going on" in refused[0]
    assert "another soak is being written there" in refused[1]
    assert {one["name"]: one["passed"] for one in soak.document()["verdicts"]}["end"] is True


@pytest.mark.slow
def test_an_overwritten_soak_leaves_nothing_and_one_that_cannot_be_opened_takes_nothing(tmp_path: Path) -> None:
    out = tmp_path / "soak"
    clip = write_video(tmp_path / "clip.mp4", 30)
    old = Soak([str(clip)], settings(), out)
    old.begin()
    ran(old, Stops(50))
    ran(resumed(out, []))
    (out / "soak.json").write_text("{}")
    done = runs.streamer("soak", tmp_path / "none.mp4", "--duration", "1s", "--out", out, "--overwrite", cwd=tmp_path)
    assert done.code == 2
    assert things_in(out) == ["asked.json", "part-0", "part-1", "soak.json", "windows.csv"]
    new = Soak([str(clip)], settings(overwrite=True), out)
    ran(new)
    assert things_in(out) == ["asked.json", "part-0", "windows.csv"]


def things_in(out: Path) -> list[str]:
    """What is in the directory of a soak."""
    return sorted(path.name for path in out.iterdir())


def test_a_part_in_which_a_run_has_written_is_not_removed(tmp_path: Path) -> None:
    out = tmp_path / "soak"
    soak = Soak([str(write_video(tmp_path / "clip.mp4", 30))], settings(), out)
    ran(soak, Stops(50))
    soak.give_up()
    assert things_in(out) == ["asked.json", "part-0", "windows.csv"]
    never = Soak(soak.sources, settings(), tmp_path / "never")
    never.begin()
    never.part(lambda row: None)
    never.give_up()
    assert not (tmp_path / "never").exists()


@pytest.mark.slow
def test_a_soak_that_was_killed_before_it_was_assessed_is_assessed_when_it_is_resumed(tmp_path: Path) -> None:
    out = tmp_path / "soak"
    clip = write_video(tmp_path / "clip.mp4", 30)
    ran(Soak([str(clip)], settings(), out))
    done = runs.streamer("soak", "--resume", out, "--json", cwd=tmp_path)
    assert done.code == 0, done.err
    assert things_in(out) == ["asked.json", "part-0", "soak.json", "soak.png", "windows.csv"]
    assert json.loads(done.out)["frames"]["delivered"] == 150
    assert runs.streamer("soak", "--resume", out, cwd=tmp_path).code == 2


def test_a_soak_goes_on_with_the_source_that_it_was_begun_with(tmp_path: Path) -> None:
    out = tmp_path / "soak"
    clips = [str(write_video(tmp_path / name, 30)) for name in ("clip.mp4", "other.mp4")]
    ran(Soak(clips[:1], settings(), out), Stops(50))
    with pytest.raises(UsageError, match=r"it was of .*clip\.mp4; give the same, or none"):
        resumed(out, clips[1:])
    assert not resumed(out, clips[:1]).done


def test_a_canary_frame_in_which_nothing_is_found_leaves_its_verdict_open(tmp_path: Path) -> None:
    given = settings(conf=0.999)  # the null engine is less sure than that
    soak = Soak([str(write_video(tmp_path / "clip.mp4", 30))], given, tmp_path / "soak")
    _, windows = ran(soak)
    assert "nothing" in {row.canary for row in windows} <= {"nothing", None}
    (canary,) = (one for one in soak.document()["verdicts"] if one["name"] == "canary")
    assert canary["passed"] is None
