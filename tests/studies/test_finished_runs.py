"""``streamer compare RUN RUN``: all recorded frames count, and conditions that differ are doubts."""

from __future__ import annotations

import copy
import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from streamer.run.schema import manifest_schema
from streamer.studies.compare.conditions import MAY_BE_ABSENT, NO_CONDITIONS, differences, same_pictures
from streamer.studies.compare.finished_runs import compare_finished
from tests.runs import manifest, rows, streamer
from tests.videos import write_video

FRAMES = 80
QUICK = ("--engine", "null", "--fps", "max", "--warmup", "0", "--video", "none", "--no-chart", "--quiet")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Path:
    """A finished run of FRAMES frames."""
    place = tmp_path_factory.mktemp("finished")
    write_video(place / "clip.mkv", FRAMES)
    done = streamer("replay", "clip.mkv", "--model", tiny_model, *QUICK, "--out", "run", cwd=place)
    assert done.code == 0, done.err
    return place / "run"


def changed(run: Path, out: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """A copy of the run with a change in its ``run.json``."""
    shutil.copytree(run, out)
    document = manifest(out)
    change(document)
    (out / "run.json").write_text(json.dumps(document))
    return out


def in_segments(run: Path, out: Path, at: int) -> Path:
    """The run as a long one leaves it: the rows before ``at`` in a segment of their own."""

    def cut(document: dict[str, Any]) -> None:
        document["pieces"] = {"every_s": 1.0, "keep_bytes": 1, "videos_begin_s": [], "let_go": []}
        document["pieces"]["cuts"] = [{"piece": 0, "at_ms": 1.0, "frames": at}]
        document["files"] |= {f"{name}.0000.csv.gz": {} for name in ("frames", "detections")}

    changed(run, out, cut)
    frames = {row["frame"] for row in rows(run / "frames.csv")[:at]}
    for name, place in (("frames", 1), ("detections", 1)):
        header, *lines = (out / f"{name}.csv").read_text().splitlines(keepends=True)
        first = [line for line in lines if line.split(",")[place] in frames]
        with gzip.open(out / f"{name}.0000.csv.gz", "wt") as file:
            file.writelines([header, *first])
        (out / f"{name}.csv").write_text("".join([header, *(line for line in lines if line not in first)]))
    return out


def test_all_segments_of_a_long_run_are_read(run: Path, tmp_path: Path) -> None:
    long = in_segments(run, tmp_path / "long", 60)
    whole, cut = compare_finished([run, long], None, tmp_path)["engines"]
    assert cut["frames"] == whole["frames"]
    assert cut["result_latency_ms"] == whole["result_latency_ms"]
    assert cut["median_ms"] == whole["median_ms"]
    assert (cut["agreement"], cut["agreement_share"]) == ("agrees", 1.0)


def test_deleted_segments_of_a_long_run_are_a_doubt(run: Path, tmp_path: Path) -> None:
    long = in_segments(run, tmp_path / "long", 60)
    for path in long.glob("*.0000.csv.gz"):
        path.unlink()
    document = manifest(long)
    document["pieces"]["let_go"] = ["detections.0000.csv", "frames.0000.csv"]
    (long / "run.json").write_text(json.dumps(document))
    found = compare_finished([run, long], None, tmp_path)
    assert found["engines"][1]["frames"] is not None
    assert found["engines"][1]["frames"]["scheduled"] == FRAMES - 60
    (doubt,) = (doubt for doubt in found["doubts"] if "deleted" in doubt)
    assert doubt.startswith(f"the first 60 of {FRAMES} frames of null (long) do not count")


def test_a_torn_segment_is_an_error_of_one_line(run: Path, tmp_path: Path) -> None:
    segment = in_segments(run, tmp_path / "long", 60) / "frames.0000.csv.gz"
    segment.write_bytes(segment.read_bytes()[:-20])
    done = streamer("compare", run, segment.parent, "--no-chart", cwd=tmp_path)
    assert done.code == 1
    assert "long" in done.error


def test_a_soak_is_not_mistaken_for_a_run(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "soak" / "part-0")
    done = streamer("compare", run, "soak", "--no-chart", cwd=tmp_path)
    assert (done.code, done.error) == (2, "soak is a soak, of one part or several: give each, as in soak/part-0")


def test_runs_that_took_turns_are_cut_each_at_its_own_rounds(run: Path, tmp_path: Path) -> None:
    """In a study of two rates, a round at one rate has more frames than a round at the other."""

    def rounds(in_a_round: int) -> Callable[[dict[str, Any]], None]:
        def change(document: dict[str, Any]) -> None:
            document["run"]["study"] = "one"
            document["run"]["rounds"] = [{"frame": at, "start_ms": float(at)} for at in range(0, FRAMES, in_a_round)]

        return change

    eight, ten = (changed(run, tmp_path / str(n), rounds(n)) for n in (8, 10))
    found = compare_finished([ten, eight], None, tmp_path)
    assert found["run"]["rounds"] == 8, "of the ten of the other two are in no common round"
    assert [row["frames"] and row["frames"]["scheduled"] for row in found["engines"]] == [FRAMES, 64]
    assert found["engines"][1]["ratio_p50"] is not None


def test_runs_of_different_pictures_say_so(run: Path, tmp_path: Path) -> None:
    other = changed(run, tmp_path / "other", lambda document: document["source"].update(sha256="f" * 64))
    found = compare_finished([run, other], None, tmp_path)
    (doubt,) = (doubt for doubt in found["doubts"] if "not of the same pictures" in doubt)
    assert "(SHA-256 ffffffffffff)" in doubt
    assert "the runs differ in more than the engine (source.content)" in found["answer"]
    assert found["reference"] is None, "agreement is of the same pictures only"


def test_the_same_file_under_another_name_is_of_the_same_pictures(run: Path, tmp_path: Path) -> None:
    moved = changed(run, tmp_path / "moved", lambda document: document["source"].update(uri="moved.mkv"))
    assert differences([manifest(run), manifest(moved)]) == {}
    assert same_pictures([manifest(run), manifest(moved)])


def test_no_two_runs_of_a_live_source_are_of_the_same_pictures(run: Path, tmp_path: Path) -> None:
    camera = {"uri": "rtsp://camera/1", "sha256": None, "live": True}
    one, other = (
        changed(run, tmp_path / name, lambda document: document["source"].update(camera)) for name in ("1", "2")
    )
    found = compare_finished([one, other], None, tmp_path)
    assert any("a live source never shows the same again" in doubt for doubt in found["doubts"])
    assert found["reference"] is None


TABLES = ("asked", "config_requested", "config_in_force", "input")
"""Fields that are tables of their own."""


def fields() -> list[tuple[str, str]]:
    """Every field of the parts of ``run.json`` that hold conditions."""

    parts = {"source": "SourcePart", "streams": "StreamPart", "model": "ModelPart", "run": "RunPart"}
    parts |= {"machine": "MachinePart", "load": "LoadPart", "faults": "FaultPart", "pieces": "SegmentsPart"}
    parts |= {"engine": "EnginePart"}
    return [(part, field) for part, name in parts.items() for field in manifest_schema()["$defs"][name]["properties"]]


@pytest.mark.parametrize(("part", "field"), fields())
def test_every_field_is_a_condition_or_on_the_list_of_those_that_are_none(run: Path, part: str, field: str) -> None:
    one = manifest(run)
    other = copy.deepcopy(one)
    group = other[part] if other[part] is not None else {}
    group = (group[0] if group else {}) if isinstance(group, list) else group
    group[field] = {"another": 1.0} if field in TABLES else "another"
    if part in MAY_BE_ABSENT:
        other[part] = [group] if part == "faults" else group
    found = differences([one, other])
    if (part, field) == ("source", "sha256"):
        assert list(found) == ["source.content"]
    elif field in NO_CONDITIONS.get(part, ()):
        assert found == {} or part == "faults", "that there is a fault is a condition"
    else:
        assert any(name.startswith(part) for name in found), "a condition that differs is reported"


def test_another_preprocessing_differs_and_another_origin_of_its_declaration_does_not(run: Path) -> None:
    one, other = manifest(run), manifest(run)
    other["model"]["input"]["told_by"] = {}
    assert differences([one, other]) == {}
    other["model"]["input"]["colour"] = "bgr"
    assert list(differences([one, other])) == ["model.input.colour"]


def test_versions_and_lengths_differ_and_what_an_older_streamer_did_not_record_does_not(run: Path) -> None:
    one, other = manifest(run), manifest(run)
    other["versions"] = {**one["versions"], "openvino": "1.0", "numpy": "2.0"}
    other["frames"]["scheduled"] = 7
    assert list(differences([one, other])) == ["frames.scheduled", "versions.numpy", "versions.openvino"]
    older = manifest(run)
    del older["versions"], older["run"]["skip_gaps"], older["run"]["tls_verify"], older["pieces"]
    assert differences([one, older]) == {}
    older["run"]["fps"] = "7"
    assert list(differences([one, older])) == ["run.fps"]
