"""Files whose structure is not as it should be: no picture that FFmpeg decodes is lost, and every frame is counted.

The same files each time, a few seconds' worth of each codec; hours of others: python -m benchmarks.structure_fuzz.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import streamer
from streamer import Settings, SourceError
from streamer.settings import Video
from streamer.verify import verify
from tests.decoded import check_played, decode
from tests.edits import BOTH, Edited, files
from tests.packets import CODECS
from tests.runs import check_conserved


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
        path, out = Path(folder) / "edited", Path(folder) / "run"
        edited.write(path)
        wanted = Settings(
            engine="null", model=str(tiny_model), fps="max", warmup=0, chart=False, video=Video.NONE, out=out
        )
        try:
            run = streamer.replay(path, wanted)
        except SourceError:
            assert not decode(path, cut_off=edited.cut_off).whole
            return
        outcomes = check_conserved(out)
        assert outcomes["delivered"] + outcomes["decode_error"] == run.manifest["frames"]["scheduled"]
        assert outcomes["delivered"] >= len(decode(path, cut_off=edited.cut_off).whole)
        assert verify(out).reasons == []
