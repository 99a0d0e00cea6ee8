"""The reasons of decode errors: in each frame's row, counted in run.json, and on the screen."""

from __future__ import annotations

import csv
import json
import shutil
from collections import Counter
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from streamer.ledger.decode_errors import MOST_LETTERS, MOST_REASONS, DecodeErrors, decode_errors_text, one_line
from streamer.ledger.record import AFTER_DAMAGE, FrameRecord, Outcome
from streamer.rundir.columns import read_columns
from streamer.rundir.frames_csv import FRAME_COLUMNS, frame_row, read_frames
from streamer.studies.run_figures import undecoded
from streamer.verification import verify
from tests import runs
from tests.rig import Rig
from tests.runs import Finished, manifest, rows
from tests.videos import damage, write_video

DAMAGED = "its data is damaged"
INVALID = "Invalid data found when processing input"


def replayed(tiny_model: Path, place: Path) -> Finished:
    """A replay of 40 frames, of which some are damaged in two ways, into ``run``."""
    clip = write_video(place / "hurt.avi", 40, codec="mpeg4", size=(160, 120), options={"bf": "0"})
    damage(damage(clip, 12), 30)
    options = ("--model", tiny_model, "--engine", "null", "--fps", "200", "--policy", "wait", "--warmup", "0")
    return runs.streamer("replay", clip, *options, "--video", "none", "--no-chart", "--out", "run", cwd=place)


@pytest.fixture(scope="module")
def hurt(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Finished]:
    place = tmp_path_factory.mktemp("hurt")
    return place / "run", replayed(tiny_model, place)


@pytest.fixture
def copy(hurt: tuple[Path, Finished], tmp_path: Path) -> Path:
    return Path(shutil.copytree(hurt[0], tmp_path / "run"))


def test_a_frame_that_cannot_be_decoded_says_why_and_those_behind_it_are_marked(hurt: tuple[Path, Finished]) -> None:
    by_outcome: dict[str, set[str]] = {}
    for row in rows(hurt[0] / "frames.csv"):
        by_outcome.setdefault(row["outcome"], set()).add(row["reason"])
    assert by_outcome == {"delivered": {"", AFTER_DAMAGE}, "decode_error": {DAMAGED, INVALID}}


def test_the_reasons_are_counted_in_run_json_and_on_the_screen(hurt: tuple[Path, Finished]) -> None:
    directory, done = hurt
    lost = [row for row in rows(directory / "frames.csv") if row["outcome"] == "decode_error"]
    counted = Counter(row["reason"] for row in lost)
    document = manifest(directory)["decode_errors"]
    assert document == {
        "reasons": [
            {
                "reason": reason,
                "frames": count,
                "stream": 0,
                "frame": min(int(row["frame"]) for row in lost if row["reason"] == reason),
            }
            for reason, count in counted.most_common()
        ],
        "others": 0,
    }
    reasons = ", ".join(f'{count} "{reason}"' for reason, count in counted.most_common())
    assert f"\ndecode errors: {len(lost)} ({reasons})\n" in done.out
    assert verify(directory).reasons == []


def test_a_run_without_a_decode_error_counts_none(tiny_model: Path, tmp_path: Path) -> None:
    clip = write_video(tmp_path / "whole.avi", 5, codec="mpeg4")
    options = ("--model", tiny_model, "--engine", "null", "--warmup", "0", "--video", "none", "--no-chart")
    done = runs.streamer("replay", clip, *options, "--out", "run", cwd=tmp_path)
    assert manifest(tmp_path / "run")["decode_errors"] == {"reasons": [], "others": 0}
    assert "decode errors" not in done.out


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"frames": 99}, f"'{DAMAGED}': found 99, expected "),
        ({"reason": "it was lost"}, "'it was lost': found "),
        ({"frame": 0}, f"'{DAMAGED}': found frame 0 of stream 0 as the first, which has not this reason"),
        ({"frames": None}, "decode_errors.reasons: found"),
    ],
)
def test_a_count_that_is_not_that_of_the_rows_is_found_out(change: Mapping[str, Any], says: str, copy: Path) -> None:
    document = manifest(copy)
    (part,) = [one for one in document["decode_errors"]["reasons"] if one["reason"] == DAMAGED]
    part.update(change)
    (copy / "run.json").write_text(json.dumps(document))
    assert any(says in reason for reason in verify(copy).reasons), verify(copy).reasons


def test_a_reason_that_is_left_out_is_found_out(copy: Path) -> None:
    document = manifest(copy)
    document["decode_errors"]["reasons"].pop()
    (copy / "run.json").write_text(json.dumps(document))
    assert any("expected" in reason and "in all by frames.csv" in reason for reason in verify(copy).reasons)


def test_a_run_that_was_written_before_there_were_reasons_is_valid(copy: Path) -> None:
    document = manifest(copy)
    del document["decode_errors"], document["files"], document["document_sha256"]
    document["schema_version"] = 1
    (copy / "run.json").write_text(json.dumps(document))
    table = copy / "frames.csv"
    table.write_text(table.read_text().replace(DAMAGED, "").replace(INVALID, ""))
    assert verify(copy).reasons == []


@pytest.mark.parametrize("pace", [{}, {"fps": "max"}], ids=["paced", "closed loop"])
def test_the_reasons_come_from_the_source_however_frames_are_due(pace: dict[str, Any]) -> None:
    rig = Rig(services_s=(0.01,), frames=10, broken=frozenset({0, 4}), **pace).run()
    assert {record.frame: record.reason for record in rig.records if record.reason} == {0: "broken", 4: "broken"}
    (reason,) = rig.ledger.decode_errors.part()["reasons"]
    assert reason == {"reason": "broken", "frames": 2, "stream": 0, "frame": 0}


def test_a_live_source_says_why_too() -> None:
    rig = Rig(live=[[(0.04, "frame"), (0.04, "broken"), (0.04, "end")]], services_s=(0.001,)).run()
    assert [record.reason for record in rig.records if record.outcome is Outcome.DECODE_ERROR] == ["broken"]


@pytest.mark.parametrize(
    ("message", "held"),
    [
        ("a\nb\r\n  c\x1b[31m\0d\u2028e", "a b c [31m d e"),
        ("no \udcff text", "no text"),
        ("x" * 999, "x" * MOST_LETTERS),
        ('in "a, b"', 'in "a, b"'),
        ("", ""),
    ],
)
def test_a_reason_is_one_cell_of_one_line(message: str, held: str, tmp_path: Path) -> None:
    assert one_line(message) == held
    record = FrameRecord(0, 3, 40_000, 40_000, outcome=Outcome.DECODE_ERROR, reason=one_line(message))
    path = tmp_path / "frames.csv"
    path.write_text(f"{FRAME_COLUMNS}\n{frame_row(record)}", encoding="utf-8")
    assert len(path.read_text(encoding="utf-8").splitlines()) == 2
    (back,) = read_frames(path)
    assert (back.reason, back.outcome, back.late) == (held, Outcome.DECODE_ERROR, False)
    (row,) = csv.DictReader(StringIO(path.read_text(encoding="utf-8")))
    assert (row["reason"], row["late"], row["detections"]) == (held, "0", "")
    assert len(read_columns(path)) == 1


def test_reasons_beyond_the_first_are_counted_together() -> None:
    errors = DecodeErrors()
    for frame in range(2 * MOST_REASONS):
        errors.count(0, frame, f"reason {frame % (MOST_REASONS + 5)}")
    part = errors.part()
    assert len(part["reasons"]) == MOST_REASONS
    assert sum(one["frames"] for one in part["reasons"]) + part["others"] == 2 * MOST_REASONS
    assert part["others"] == 5
    assert decode_errors_text([part]).endswith(', 1 "reason 19", 5 for other reasons')


def test_the_reasons_of_several_parts_are_reported_together() -> None:
    first, second = DecodeErrors(), DecodeErrors()
    first.count(0, 1, DAMAGED)
    second.count(0, 2, DAMAGED)
    second.count(0, 3, "")
    assert decode_errors_text([first.part(), second.part()]) == f'2 "{DAMAGED}", 1 for a reason not known'


def test_a_study_counts_the_frames_that_went_through_none_of_its_engines() -> None:
    def run(count: int) -> dict[str, Any]:
        errors = DecodeErrors()
        for frame in range(count):
            errors.count(0, frame, DAMAGED)
        return {"frames": {"scheduled": 60, "decode_error": count}, "decode_errors": errors.part()}

    assert undecoded([run(0), run(0)]) == []
    assert undecoded([run(3), run(3)]) == [
        f'3 of 60 frames could not be decoded and went through no engine (3 "{DAMAGED}")'
    ]
    assert undecoded([run(0), run(3), run(2)])[0].startswith("up to 3 of 60 frames could not be decoded")
    before_there_were_reasons = {"frames": {"scheduled": 60, "decode_error": 1}}
    assert undecoded([before_there_were_reasons]) == [
        "1 of 60 frames could not be decoded and went through no engine"
    ]
