"""Files with a broken structure: no picture that FFmpeg decodes is lost, and every frame is counted.

The files are the same each time, and take a few seconds for each codec. Hours of others are in
``python -m benchmarks.structure_fuzz``.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.decoded import check_accounted, check_played
from tests.edits import BOTH, Edit, Edited, files
from tests.packets import CODECS

PLAYED_WRONG_ONCE = [
    Edited("mpeg4", "mp4", (Edit("move", 1, 1),)),
    Edited("mpeg4 with B-frames", "mkv", (Edit("drop", 0, 1),)),
    Edited("mpeg4 with B-frames", "avi", (Edit("repeat", 1, 1),)),
    Edited("h264", "mkv", (Edit("move", 17, 3),)),
    Edited("h264", "flv", (Edit("shift", 0, -100), Edit("drop", 17, 1), Edit("shift", 2, -1000))),
    Edited("h264 with B-frames", "264", (Edit("drop", 0, 1),)),
    Edited("h264 with B-frames", "flv", (Edit("same time", 4, 1),)),
    Edited("h264 with B-frames", "fragmented mp4", (Edit("jump", 11, 400),)),
    Edited("h264 with B-frames", "ts", (Edit("jump", 11, 3000),)),
    Edited("hevc with B-frames", "mkv", (Edit("same time", 10, 2), Edit("shift", 0, 13), Edit("shift", 0, 13))),
    Edited("mpeg2 with B-frames", "m2ts", (Edit("drop", 1, 1),)),
    Edited("vp8", "mkv", (Edit("hide", 0, 1),)),
    Edited("mpeg4 with B-frames", "mkv", (Edit("drop", 9, 2),)),
    Edited("mpeg4 with B-frames", "mkv", (Edit("drop", 8, 3),)),
    Edited("mpeg4 with B-frames", "ts", (Edit("move", 2, -3),)),
    Edited("h264 with B-frames", "flv", (Edit("move", 0, 1),)),
    Edited("h264 with B-frames", "m2ts", (Edit("move", 1, -3),)),
    Edited("hevc with B-frames", "ts", (Edit("move", 0, 2),)),
    Edited("hevc with B-frames", "mp4", (Edit("repeat", 12, 2),)),
    Edited("h264 with B-frames", "mp4", (Edit("repeat", 19, 3), Edit("drop", 16, 2))),
    Edited("h264 with B-frames", "264", (Edit("cut off", 0, 94), Edit("junk behind", 0, 188))),
]
"""Files that fuzzing has found."""


@pytest.mark.parametrize("edited", PLAYED_WRONG_ONCE, ids=str)
def test_a_file_that_was_played_wrong_once_is_played_right(edited: Edited, tmp_path: Path) -> None:
    edited.write(tmp_path / "edited")
    check_played(tmp_path / "edited", cut_off=edited.cut_off)


@pytest.mark.parametrize("codec", CODECS)
@settings(max_examples=36, derandomize=True)
@given(data=st.data())
def test_each_picture_that_ffmpeg_decodes_is_played_once(codec: str, data: st.DataObject) -> None:
    edited = data.draw(files([both for both in BOTH if both[0] == codec]))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "edited"
        edited.write(path)
        check_played(path, cut_off=edited.cut_off)


@pytest.mark.slow
@settings(max_examples=8, derandomize=True)
@given(edited=files())
def test_a_run_accounts_for_each_frame(edited: Edited, tiny_model: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "edited"
        edited.write(path)
        check_accounted(path, Path(folder) / "run", cut_off=edited.cut_off, model=tiny_model)
