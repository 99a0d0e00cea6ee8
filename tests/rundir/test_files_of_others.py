"""Files that a user keeps in a run directory stay, byte for byte, whatever they are called and however runs end."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from streamer.errors import UsageError
from streamer.files.whole import write_whole
from streamer.repair.repair import repair
from streamer.rundir.rundir import RunDir
from streamer.rundir.segments import Segments
from streamer.rundir.written import written_in
from streamer.verification import verify
from tests import runs
from tests.runs import environment, manifest
from tests.videos import write_video

OTHERS = (
    *("holiday.0001.mp4", "annotated-2024-party.mp4", "annotated-2024.mp4", "annotated-01.mp4", "annotated-².mp4"),
    *("annotated.mp4.part", "annotated.01.mp4", "annotated-x.0001.mp4", "annotated.0001.mp4.bak"),
    *("notes.2024-11.txt", "notes.2024.txt", "2024.0001.csv", "trip.0001.csv.gz", "frames.csv.writing"),
    *("frames.0001.csv.bak", "frames.01.csv", "frames.0001x.csv", "Frames.0001.csv", "frames.٠٠٠١.csv"),
    *("frames.0001.csv.gz.part", "frames.csv.tmp", "my-detections.0001.csv", "detections.0001.tsv", "x.csv.writing"),
    *(
        "run.json.tmp",
        "run.json.part",
        "run.json.writing-2",
        "begun.json.bak",
        "latency.png.writing",
        "latency.0001.png",
    ),
    *(".reserve2", ".lock.old", ".written.bak", "histograms.hlog.1", "traceback.txt.old", "part-0.zip"),
    *("soak.json.writing", "windows.csv.part", "asked.json~", "part-2024/clip.0001.mp4", "part-01/frames.csv"),
)
"""Names that resemble ours."""
EXACT = ("annotated-1.mp4", "annotated.0007.mp4", "frames.0001.csv", "detections.0002.csv.gz")
"""Names of our own, of files that a run without segments, of one stream, does not write."""


def add(directory: Path, names: tuple[str, ...]) -> dict[Path, bytes]:
    """Files of the user's in a directory, and what they hold."""
    kept = {directory / name: f"{name} is mine\n".encode() for name in names}
    for path, content in kept.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return kept


def changed(kept: dict[Path, bytes]) -> list[str]:
    return [path.name for path, content in kept.items() if not path.is_file() or path.read_bytes() != content]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("clips") / "clip.mp4", 30)


def options(model: Path, *more: str | Path) -> list[str | Path]:
    return ["--model", model, "--engine", "null", "--fps", "100", "--warmup", "0", "--no-chart", "--quiet", *more]


UNFINISHED = "unfinished-soak"
"""Where a soak is until it has come to its end, in a directory that is not empty."""


def killed(command: list[str | Path], until: tuple[Path, str]) -> None:
    """Runs ``streamer`` in a process of its own, and kills it when a file is there whose name begins so."""
    directory, begin = until
    with subprocess.Popen(
        [sys.executable, "-m", "streamer", *map(str, command)], env=environment(), stderr=subprocess.PIPE, text=True
    ) as process:
        for _ in range(3000):
            if directory.is_dir() and any(directory.glob(f"{begin}*")):
                break
            try:
                printed = process.communicate(timeout=0.02)
            except subprocess.TimeoutExpired:
                continue
            pytest.fail(f"the process ended with {process.returncode}: {printed}")
        process.send_signal(signal.SIGKILL)
        process.communicate()


def test_a_run_its_successor_and_a_repair_leave_all_other_files(clip: Path, tiny_model: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    kept = add(out, OTHERS + EXACT)
    replay = ["replay", clip, *options(tiny_model), "--out", out, "--overwrite"]
    for _ in range(2):
        done = runs.streamer(*replay, cwd=tmp_path)
        assert (done.code, done.err) == (0, "")
        assert changed(kept) == []
        assert set(manifest(out)["files"]) == {"frames.csv", "detections.csv", "annotated.mp4"}
        assert verify(out).reasons == []
    assert len(list(out.rglob("*.*"))) == len(kept) + 4


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_killed_run_in_segments_is_repaired_among_files_of_others(
    clip: Path, tiny_model: Path, tmp_path: Path
) -> None:
    out = tmp_path / "soak" / UNFINISHED / "part-0"
    kept = add(out, OTHERS)
    soak = ("soak", clip, "--duration", "1h", "--segment", "0.2s", "--window", "0.5s")
    killed([*soak, *options(tiny_model), "--out", tmp_path / "soak", "--overwrite"], until=(out, "frames.0003.csv"))
    kept |= add(out, ("frames.9999.csv", "detections.0999.csv.gz", "annotated.0500.mp4", "annotated-3.mp4"))
    assert repair(out) is not None
    assert verify(out).reasons == []
    assert "frames.9999.csv" not in manifest(out)["files"]
    assert "frames.0002.csv.gz" in manifest(out)["files"]
    assert changed(kept) == []
    assert runs.streamer("replay", clip, *options(tiny_model), "--out", out, "--overwrite", cwd=tmp_path).code == 0
    assert changed(kept) == []
    assert not list(out.glob("frames.000?.csv.gz"))
    assert verify(out).reasons == []


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_soak_with_keep_that_is_killed_and_resumed_leaves_all_other_files(
    clip: Path, tiny_model: Path, tmp_path: Path
) -> None:
    out = tmp_path / "soak"
    kept = {path: content for place in (out, out / "part-0") for path, content in add(place, OTHERS).items()}
    durations = ("--duration", "5s", "--window", "0.5s", "--segment", "0.2s", "--keep", "1k")
    killed(
        ["soak", clip, *options(tiny_model, *durations), "--out", out, "--overwrite"],
        until=(out / UNFINISHED / "part-0", "frames.0004.csv"),
    )
    assert changed(kept) == []
    assert not (out / UNFINISHED / "part-0" / "frames.0000.csv.gz").exists(), "nothing was deleted"
    kept |= add(out / "part-1", OTHERS)
    done = runs.streamer("soak", "--resume", out / UNFINISHED, "--quiet", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert changed(kept) == []
    assert manifest(out / "part-1")["pieces"]["let_go"]
    assert verify(out / "part-1").reasons == []
    done = runs.streamer("soak", clip, *options(tiny_model, *durations), "--out", out, "--overwrite", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert changed(kept) == []
    assert not (out / "part-1" / "run.json").exists()


@pytest.mark.parametrize("name", ["frames.csv", "run.json", "annotated.mp4", ".written", "run.json.writing"])
def test_a_file_that_would_be_written_over_is_refused_by_its_name(
    name: str, clip: Path, tiny_model: Path, tmp_path: Path
) -> None:
    kept = add(tmp_path / "run", (name, "thesis.tex"))
    done = runs.streamer("replay", clip, *options(tiny_model), "--out", "run", "--overwrite", cwd=tmp_path)
    assert done.code == 2
    assert f"{name} there is not of an earlier run, and would be written over; move it" in done.error
    assert changed(kept) == []
    assert len(list((tmp_path / "run").iterdir())) == 2


@pytest.mark.slow
def test_a_chart_of_the_users_is_neither_removed_nor_drawn_over(clip: Path, tiny_model: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    replay = ["replay", clip, *options(tiny_model), "--out", out, "--overwrite"]
    assert runs.streamer(*replay, "--chart", cwd=tmp_path).code == 0
    assert "latency.png" in written_in(out)
    assert runs.streamer(*replay, cwd=tmp_path).code == 0
    assert not (out / "latency.png").exists(), "that of an earlier run"
    kept = add(out, ("latency.png", "traceback.txt.1"))
    assert runs.streamer(*replay, cwd=tmp_path).code == 0
    done = runs.streamer(*replay, "--chart", cwd=tmp_path)
    assert (done.code, "latency.png there is not of an earlier run" in done.error) == (2, True)
    assert changed(kept) == []


def test_the_lock_of_another_program_is_no_lock_of_ours(tmp_path: Path) -> None:
    kept = add(tmp_path, (".lock",))
    directory = RunDir(tmp_path, overwrite=False)
    directory.give_up()
    assert changed(kept) == []
    assert len(list(tmp_path.iterdir())) == 1


def test_segments_do_not_take_the_names_of_the_users_files(tmp_path: Path) -> None:
    kept = add(tmp_path / "run", ("frames.0001.csv",))
    with pytest.raises(UsageError, match=r"frames\.0001\.csv there is not of an earlier run"):
        RunDir(tmp_path / "run", overwrite=True, segmented=True)
    (tmp_path / "run" / "frames.0001.csv").rename(tmp_path / "frames.0001.csv")
    directory = RunDir(tmp_path / "run", overwrite=True, segmented=True)
    segments = Segments(directory.frames, directory.detections, [], every_us=1, keep_bytes=0)
    segments.cut(1)
    kept = add(tmp_path / "run", ("frames.0001.csv", "detections.0002.csv"))
    segments.cut(2)
    (tmp_path / "run" / "frames.0001.csv").unlink()
    segments.cut(3)
    segments.cut(4)
    segments.finish()
    directory.give_up()
    assert [cut.at_us for cut in segments.cuts] == [1, 3]
    assert changed(kept) == ["frames.0001.csv"], "which the user has removed"


def test_a_list_that_was_tampered_with_makes_no_other_file_ours(tmp_path: Path) -> None:
    kept = add(tmp_path / "run", ("thesis.tex", "annotated-2024-party.mp4"))
    (tmp_path / "run" / "run.json").write_text('{"files": {"thesis.tex": {}, "../clip.mp4": {}}}')
    (tmp_path / "run" / ".written").write_text("thesis.tex\nannotated-2024-party.mp4\n")
    kept |= add(tmp_path, ("clip.mp4",))
    with pytest.raises(UsageError, match=r"\.written there is not of an earlier run"):
        RunDir(tmp_path / "run", overwrite=True)
    (tmp_path / "run" / ".written").unlink()
    RunDir(tmp_path / "run", overwrite=True).give_up()
    assert changed(kept) == []


def test_a_file_that_is_written_whole_takes_no_other_ones_place_meanwhile(tmp_path: Path) -> None:
    kept = add(tmp_path, ("soak.json.writing",))
    write_whole(tmp_path / "soak.json", "{}")
    assert changed(kept) == []
    assert {path.name for path in tmp_path.iterdir()} == {"soak.json", "soak.json.writing"}


@pytest.mark.parametrize(
    ("command", "names"),
    [
        (("compare", "--duration", "1s"), ("compare.csv", "compare.json", "compare.png")),
        (("pace", "--engine", "null"), ("pace.csv", "pace.json", "pace.png")),
        (("bench",), ("bench.csv", "bench.json")),
        (("soak", "--duration", "1s"), ("asked.json", "windows.csv", "soak.json", "soak.png")),
    ],
)
def test_no_study_writes_over_a_file_that_is_not_of_a_study(
    command: tuple[str, ...], names: tuple[str, ...], clip: Path, tmp_path: Path
) -> None:
    for name in names:
        kept = add(tmp_path / name, (name, "thesis.tex"))
        source = [] if command[0] == "bench" else [clip]
        done = runs.streamer(*command, *source, "--out", name, "--overwrite", "--quiet", cwd=tmp_path)
        assert done.code == 2
        assert f"{name} there is not of an earlier study, and would be written over" in done.error
        assert changed(kept) == []
