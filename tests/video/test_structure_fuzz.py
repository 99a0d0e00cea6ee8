"""Files whose structure is not as it should be: no picture that FFmpeg decodes is lost, and every frame is counted.

The same files each time, a few seconds' worth of each codec; hours of others: python -m benchmarks.structure_fuzz.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.decoded import check_accounted, check_played
from tests.edits import BOTH, Edited, files
from tests.packets import CODECS


@pytest.mark.parametrize("codec", CODECS)
@settings(max_examples=36, derandomize=True)
@given(data=st.data())
def test_each_picture_that_ffmpeg_decodes_is_played_once(codec: str, data: st.DataObject) -> None:
    edited = data.draw(files([both for both in BOTH if both[0] == codec]))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "edited"
        edited.write(path)
        check_played(path, cut_off=edited.cut_off)


@settings(max_examples=8, derandomize=True)
@given(edited=files())
def test_a_run_accounts_for_each_frame(edited: Edited, tiny_model: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "edited"
        edited.write(path)
        check_accounted(path, Path(folder) / "run", cut_off=edited.cut_off, model=tiny_model)
