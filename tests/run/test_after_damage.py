"""Pictures that may be smeared: marked in their rows, counted in run.json, doubted, and checked by verify."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from streamer.verification import verify
from tests import runs
from tests.run.test_decode_errors import INVALID
from tests.runs import Finished, manifest, rows
from tests.sources.damaged import FRAMES, packets_of_pictures, transport_stream, without
from tests.sources.servers import http_server
from tests.videos import damage, write_video

NULL = ("--engine", "null", "--queue", "60", "--warmup", "0", "--video", "none", "--no-chart")
SMEARED = "delivered frames may be smeared: what they refer to was damaged or did not come"


@pytest.fixture(scope="module")
def hurt(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Finished]:
    """A run of a stream over HTTP of which packets were lost."""
    place = tmp_path_factory.mktemp("hurt")
    content = transport_stream("hevc with B-frames")
    lost = packets_of_pictures(content)[9][-3:]
    with http_server(without(content, lost)) as address:
        done = runs.streamer("replay", address, "--model", tiny_model, *NULL, "--out", "run", cwd=place)
    return place / "run", done


def test_a_live_run_marks_and_counts_them_and_doubts_them(hurt: tuple[Path, Finished]) -> None:
    directory, done = hurt
    found = rows(directory / "frames.csv")
    marked = [row for row in found if row["reason"] == "after_damage"]
    assert {row["outcome"] for row in marked} == {"delivered"}
    assert 0 < len(marked) < FRAMES / 2
    document = manifest(directory)
    assert document["after_damage"] == len(marked)
    (doubt,) = [doubt for doubt in document["doubts"] if SMEARED in doubt]
    assert doubt.startswith(f"{len(marked)} of {document['frames']['delivered']} ")
    assert f"doubt   {doubt}\n" in done.out
    assert verify(directory).reasons == []


def test_a_count_that_is_not_that_of_the_rows_is_found_out(hurt: tuple[Path, Finished], tmp_path: Path) -> None:
    copy = Path(shutil.copytree(hurt[0], tmp_path / "run"))
    document = manifest(copy)
    right = document["after_damage"]
    (copy / "run.json").write_text(json.dumps({**document, "after_damage": right - 1}))
    assert any(
        f"run.json after_damage: found {right - 1}, expected {right} by frames.csv" in reason
        for reason in verify(copy).reasons
    )


def test_a_run_that_was_written_before_it_was_counted_is_valid(hurt: tuple[Path, Finished], tmp_path: Path) -> None:
    copy = Path(shutil.copytree(hurt[0], tmp_path / "run"))
    document = manifest(copy)
    del document["after_damage"], document["files"], document["document_sha256"]
    document["schema_version"] = 1
    (copy / "run.json").write_text(json.dumps(document))
    assert verify(copy).reasons == []


def test_in_a_file_they_end_with_the_next_key_frame(tiny_model: Path, tmp_path: Path) -> None:
    clip = write_video(tmp_path / "hurt.avi", 40, codec="mpeg4", size=(160, 120), options={"bf": "0"})
    damage(clip, 30)
    runs.streamer("replay", clip, "--fps", "200", "--model", tiny_model, *NULL, "--out", "run", cwd=tmp_path)
    found = {int(row["frame"]): row["reason"] for row in rows(tmp_path / "run" / "frames.csv") if row["reason"]}
    assert found.pop(30) in ("its data is damaged", INVALID)
    assert found == dict.fromkeys(range(31, 36), "after_damage"), "every 12th is a key frame"
    assert verify(tmp_path / "run").reasons == []


def test_a_run_without_damage_counts_none(tiny_model: Path, tmp_path: Path) -> None:
    clip = write_video(tmp_path / "whole.mkv", 15)
    done = runs.streamer("replay", clip, "--model", tiny_model, *NULL, "--out", "run", cwd=tmp_path)
    assert manifest(tmp_path / "run")["after_damage"] == 0
    assert "smeared" not in done.out
