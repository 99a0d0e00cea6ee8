"""An earlier study stays until its successor is whole, however the successor ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from itertools import product
from pathlib import Path

import pytest

from streamer.errors import SinkError, UsageError
from streamer.rundir.lock import IN_USE
from streamer.studies.bench.rows import HEADER as BENCH
from streamer.studies.compare.compare_csv import HEADER as COMPARE
from streamer.studies.pace.pace_csv import HEADER as PACE
from streamer.studies.soak.windows_csv import WINDOW_COLUMNS
from streamer.studies.successor import Kind, going_on, successor
from tests.runs import environment, streamer
from tests.videos import write_video

KIND = Kind("study", ("study.csv", "study.png", "study.json"))
NAMES = ("compare", "pace", "parity", "bench", "soak")
OF_AN_EARLIER_ONE = (
    *(f"{name}.{ending}" for name in NAMES for ending in ("csv", "json", "png")),
    *("asked.json", "windows.csv", "part-0/run.json", "part-0/frames.csv", "part-1/run.json"),
    *(f"{arm}/{name}" for arm in ("null", "null-50-fps") for name in ("run.json", "frames.csv", "annotated.mp4")),
    *("notes.txt", "null/notes.txt"),
)


HEADINGS = {
    f"{name}.csv": f"{columns}\n"
    for name, columns in (("compare", COMPARE), ("pace", PACE), ("bench", BENCH), ("windows", WINDOW_COLUMNS))
}


def write(directory: Path, *names: str, text: str) -> None:
    for name in names:
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_bytes(content(name, text))


def content(name: str, text: str) -> bytes:
    """The beginning of a file of that name, by which a study recognizes its own."""
    words = f"{text} {name}"
    if name.endswith("asked.json"):
        return json.dumps({"sources": [words], "window_s": 60, "canary_s": 60, "replay": {}}).encode()
    if name.endswith("/run.json"):
        tables = ("frames.csv", "detections.csv", "annotated.mp4")
        return json.dumps({"streamer": words, "files": {table: {} for table in tables}}).encode()
    if name.endswith(".json"):
        return json.dumps({"streamer": words}).encode()
    if name.endswith(".png"):
        return b"\x89PNG\r\n\x1a\n tEXtSoftware\0streamer " + words.encode()
    return f"{HEADINGS.get(name, '')}{words}".encode()


def tree(directory: Path) -> dict[str, bytes]:
    """All files below, but for the lock of a process that was killed."""
    return {str(path.relative_to(directory)): path.read_bytes() for path in files(directory)}


def files(directory: Path) -> Iterator[Path]:
    return (path for path in directory.rglob("*") if path.is_file() and path.name != ".lock")


def test_nothing_is_to_be_replaced_in_a_new_directory(tmp_path: Path) -> None:
    with successor(KIND, tmp_path / "new", overwrite=False) as place:
        assert (place.path, place.notes) == (tmp_path / "new", [])
        place.take_over()
    assert not (tmp_path / "new").exists()


def test_a_successor_that_does_not_come_to_its_end_leaves_the_earlier_one_alone(tmp_path: Path) -> None:
    write(tmp_path, "study.csv", "study.json", "arm/run.json", text="earlier")
    before = tree(tmp_path)
    with successor(KIND, tmp_path, overwrite=True) as place:
        assert place.path == tmp_path / "unfinished-study"
        assert "stays until this has come to its end" in place.notes[0]
        write(place.path, "study.csv", "arm/frames.csv", "arm/run.json", text="later")
    later = {
        "unfinished-study/study.csv": content("study.csv", "later"),
        "unfinished-study/arm/frames.csv": content("arm/frames.csv", "later"),
        "unfinished-study/arm/run.json": content("arm/run.json", "later"),
    }
    assert tree(tmp_path) == before | later
    with successor(KIND, tmp_path, overwrite=True):
        assert tree(tmp_path) == before, "what is unfinished gives way to the next one"
    assert not (tmp_path / "unfinished-study").exists()


def test_a_successor_that_is_whole_takes_the_place_and_leaves_files_of_the_users_own(tmp_path: Path) -> None:
    write(tmp_path, "study.csv", "study.png", "study.json", "arm/run.json", "arm/detections.csv", text="earlier")
    write(tmp_path, "notes.txt", "arm/notes.txt", "other/run.json", text="own")
    with successor(KIND, tmp_path, overwrite=True) as place:
        write(place.path, "study.csv", "study.json", "arm/run.json", "arm2/run.json", text="later")
        place.take_over()
        assert place.path == tmp_path
    own = dict.fromkeys(("notes.txt", "arm/notes.txt", "other/run.json"), "own")
    later = dict.fromkeys(("study.csv", "study.json", "arm/run.json", "arm2/run.json"), "later")
    assert tree(tmp_path) == {name: content(name, whose) for name, whose in (own | later).items()}
    assert not (tmp_path / ".lock").exists()


@pytest.mark.parametrize("doing", ["replacing", "moving"])
def test_a_take_over_that_was_killed_is_finished_by_the_next_study(doing: str, tmp_path: Path) -> None:
    write(tmp_path / f".{doing}-study", "study.csv", "study.json", "arm/run.json", text="later")
    if doing == "replacing":
        write(tmp_path, "arm/detections.csv", "arm/run.json", text="earlier")
    else:
        write(tmp_path, "arm/detections.csv", text="later")
    with successor(KIND, tmp_path, overwrite=True):
        pass
    whole = ["arm/run.json", "study.csv", "study.json", *(["arm/detections.csv"] if doing == "moving" else [])]
    assert tree(tmp_path) == {name: content(name, "later") for name in whole}


def test_two_at_once_do_not_replace_the_same(tmp_path: Path) -> None:
    write(tmp_path, "study.json", text="earlier")
    with successor(KIND, tmp_path, overwrite=True):
        with pytest.raises(UsageError, match=IN_USE):
            successor(KIND, tmp_path, overwrite=True)
        with pytest.raises(UsageError, match=IN_USE):
            going_on(KIND, tmp_path)
    with successor(KIND, tmp_path, overwrite=True):
        pass


def test_a_study_that_goes_on_takes_the_place_in_the_end(tmp_path: Path) -> None:
    write(tmp_path, "study.json", text="earlier")
    write(tmp_path / "unfinished-study", "study.json", text="later")
    with going_on(KIND, tmp_path / "unfinished-study") as place:
        place.take_over()
    assert tree(tmp_path) == {"study.json": content("study.json", "later")}
    with going_on(KIND, tmp_path) as place:
        assert not place.replaces


def test_a_study_that_is_whole_replaces_the_earlier_one(tiny_model: Path, tmp_path: Path) -> None:
    write(tmp_path / "out", "bench.csv", "bench.json", text="earlier")
    arguments = ["--engine", "null", "--model", str(tiny_model), "--number", "5", "--out", "out", "--overwrite"]
    done = streamer("bench", *arguments, cwd=tmp_path)
    assert done.code == 0
    assert done.err == (
        "note: what is in out stays until this has come to its end; until then this is in out/unfinished-bench\n"
    )
    assert "out/ bench.csv" in done.out
    assert sorted(tree(tmp_path / "out")) == ["bench.csv", "bench.json", "bench.png"]
    assert b"earlier" not in b"".join(tree(tmp_path / "out").values())


NULL = ("--engine", "null,delay_ms=20")
STUDIES = {
    "compare": ("compare", "clip.mkv", "--engine", "null", *NULL, "--loop", "--duration", "10m", "--warmup", "0"),
    "pace": ("pace", "clip.mkv", "--engine", "null", "--fps", "50,100", "--duration", "10m"),
    "parity": ("parity", "clip.mkv", "--reference", "null", *NULL, "--frames", "60"),
    "bench": ("bench", *NULL, "--number", "10000"),
    "soak": ("soak", "clip.mkv", "--engine", "null", "--duration", "10m"),
}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to end a process with")
@pytest.mark.parametrize(
    ("study", "number"), [("compare", signal.SIGINT), *product(STUDIES, (signal.SIGTERM, signal.SIGKILL))]
)
def test_an_interrupted_study_loses_nothing_of_the_earlier_one(
    study: str, number: signal.Signals, tiny_model: Path, tmp_path: Path
) -> None:
    write_video(tmp_path / "clip.mkv", 60)
    out = tmp_path / "out"
    write(out, *OF_AN_EARLIER_ONE, text="earlier")
    before, names = tree(out), set(files(out))
    options = ["--model", str(tiny_model), "--out", "out", "--overwrite"]
    with subprocess.Popen(
        [sys.executable, "-m", "streamer", *STUDIES[study], *options],
        cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    ) as process:  # fmt: skip
        while set(files(out)) == names:  # the first engine is open, or the first file is
            with suppress(subprocess.TimeoutExpired):
                pytest.fail(f"it ended with {process.wait(timeout=0.02)}")
        os.killpg(process.pid, number)
        process.communicate(timeout=60)
    assert process.returncode == (-number if number is signal.SIGKILL else 128 + number)
    after = tree(out)
    assert {name: after.get(name) for name in before} == before


@pytest.mark.parametrize("study", sorted(STUDIES.keys() - {"parity"}))
def test_a_study_does_not_replace_what_is_no_study(study: str, tiny_model: Path, tmp_path: Path) -> None:
    write_video(tmp_path / "clip.mkv", 2)
    named = "windows.csv" if study == "soak" else f"{study}.csv"
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / named).write_text("my,own,table\n")
    done = streamer(*STUDIES[study], "--model", str(tiny_model), "--out", "out", "--overwrite", cwd=tmp_path)
    assert done.code == 2
    assert f"out: {named} there is not of an earlier study" in done.err
    assert tree(tmp_path / "out") == {named: b"my,own,table\n"}


def test_a_file_that_has_come_meanwhile_is_not_written_over(tmp_path: Path) -> None:
    write(tmp_path, "study.json", text="earlier")
    with successor(KIND, tmp_path, overwrite=True) as place:
        write(place.path, "study.json", "arm/run.json", "arm/frames.csv", text="later")
        (tmp_path / "arm").mkdir()
        (tmp_path / "arm" / "frames.csv").write_text("own")
        with pytest.raises(SinkError, match=r"arm/frames\.csv there is not of an earlier study.*unfinished-study"):
            place.take_over()
    assert (tmp_path / "arm" / "frames.csv").read_text() == "own"
    assert (tmp_path / "study.json").read_bytes() == content("study.json", "earlier")
    assert (tmp_path / "unfinished-study" / "arm" / "frames.csv").is_file()
