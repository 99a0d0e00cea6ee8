"""The rows of a replay do not depend on PyAV's version: those recorded came of 18.1.0 and of 19.0.2 alike."""

from __future__ import annotations

import csv
from collections import Counter
from hashlib import sha256
from pathlib import Path

import pytest

import streamer
from streamer.pipeline.drop_policy import Policy
from streamer.settings.video import Video
from tests.runs import ROOT, SHARED

CASES = SHARED / "cases"
CLIP = ROOT / "samples" / "street.mp4"
COLUMNS = ("stream", "frame", "pts_ms", "scheduled_ms", "outcome", "reason", "detections")
RECORDED = {
    CLIP: ({"delivered": 720}, "ff67d4ac0a8cbd08"),
    CASES / "sar.mp4": ({"delivered": 25}, "81b327d4c3f0e9e1"),
    CASES / "prog.m2ts": ({"delivered": 100}, "b99c8c4e3a4a3b6e"),
    CASES / "segcat.ts": ({"delivered": 100}, "b99c8c4e3a4a3b6e"),
    CASES / "vp8alt.webm": ({"delivered": 100}, "b99c8c4e3a4a3b6e"),
}
"""The outcomes of each file, and the start of its rows' SHA-256: what is, and not always what is right."""


@pytest.mark.parametrize("path", list(RECORDED), ids=lambda path: path.name)
def test_a_replay_has_the_rows_that_were_recorded(path: Path, tmp_path: Path, tiny_model: Path) -> None:
    if not path.is_file():
        pytest.skip(f"../shared is absent: {path.name} is not here")
    settings = streamer.Settings(
        engine="null",
        model=str(tiny_model),
        fps=200,
        policy=Policy.WAIT,
        video=Video.NONE,
        warmup=0,
        chart=False,
        out=tmp_path / "run",
    )
    streamer.replay(path, settings)
    with (tmp_path / "run" / "frames.csv").open(encoding="utf-8") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: int(row["frame"]))
    text = "\n".join(",".join(row[column] for column in COLUMNS) for row in rows)
    text += (tmp_path / "run" / "detections.csv").read_text(encoding="utf-8")
    assert (Counter(row["outcome"] for row in rows), sha256(text.encode()).hexdigest()[:16]) == RECORDED[path]
