"""A size or a codec that changes in mid-stream: the first changes are named with their frames, the others counted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from streamer.errors import SourceError
from streamer.frame import Frame
from streamer.sources.base import Unreadable
from streamer.video.changes import NAMED, Changes
from streamer.video.reader import VideoReader
from streamer.video.rescaling import SizeChanges
from tests.sources.lost_connections import lost_connections
from tests.sources.reading import frames, opened, read_all, read_on
from tests.sources.servers import http_server
from tests.videos import write_video


def segments(folder: Path, sizes: Sequence[tuple[int, int]]) -> bytes:
    """A transport stream whose size changes every 10 frames."""
    found = b""
    for place, size in enumerate(sizes):
        ticks = range(10 * place, 10 * place + 10)
        found += write_video(folder / f"{place}.ts", 10, size=size, ticks=ticks, options={"bf": "0"}).read_bytes()
    return found


SIZES = [(64, 48), (128, 96), (64, 48), (32, 24)]
DOUBT = (
    "the picture size changes at frame 10 to 128x96, at frame 20 to 64x48, at frame 30 to 32x24: "
    "scaled to the size of the first (20 in all)"
)


def test_each_change_of_size_is_named_over_the_network_and_in_a_file(tmp_path: Path) -> None:
    content = segments(tmp_path, SIZES)
    with http_server(content) as address:
        source = opened(address)
        items = frames(read_all(source))
    assert {frame.image.shape for frame in items} == {(48, 64, 3)}
    assert [doubt for doubt in source.doubts if "picture size" in doubt] == [DOUBT]
    (tmp_path / "joined.ts").write_bytes(content)
    with VideoReader(tmp_path / "joined.ts") as reader:
        while reader.read() is not None:
            pass
        assert [doubt for doubt in reader.doubts if "picture size" in doubt] == [DOUBT]


def test_a_codec_that_is_another_after_reconnecting_is_named(tmp_path: Path) -> None:
    codecs = ["mpeg2video", "mpeg2video", "mpeg4", "mpeg2video"]
    clips = [
        write_video(tmp_path / f"{place}.ts", 12, codec=codec, options={"bf": "0"}).read_bytes()
        for place, codec in enumerate(codecs)
    ]
    begins = []
    with lost_connections(clips) as address:
        source = opened(address)
        items: list[Frame | Unreadable] = []
        for _ in clips:
            begins.append(len(items))
            with pytest.raises(SourceError):
                read_on(source, items)
        source.close()
    assert all(earlier < later for earlier, later in pairwise([*begins, len(items)]))
    (doubt,) = (doubt for doubt in source.doubts if "codec" in doubt)
    found = re.fullmatch(r"the codec changes at frame (\d+) to mpeg4, at frame (\d+) to mpeg2video", doubt)
    assert found is not None
    # Frames that the server had kept are discarded, but have numbers.
    for frame, begin in zip(map(int, found.groups()), begins[2:], strict=True):
        assert items[begin - 1].index < frame <= items[begin].index


def test_the_first_changes_of_a_stream_that_flaps_are_named_and_the_others_counted() -> None:
    sizes = SizeChanges()
    for index in range(100):
        sizes.look(index, *((64, 48) if index % 2 == 0 else (128, 96)))
    (doubt,) = sizes.doubts
    assert doubt.count("at frame") == NAMED
    assert doubt.endswith("at frame 10 to 64x48, 89 more times: scaled to the size of the first (50 in all)")


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([], ""),
        (["a", "a"], ""),
        (["a", "b", "b", "a"], "at frame 1 to b, at frame 3 to a"),
        (["a", "b"] * 6, ", ".join(f"at frame {at} to {'ab'[at % 2]}" for at in range(1, 11)) + ", 1 more time"),
    ],
)
def test_a_change_is_reported_once(values: list[str], text: str) -> None:
    changes = Changes()
    for index, value in enumerate(values):
        changes.look(index, value)
    assert changes.text == text
