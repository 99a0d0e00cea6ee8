"""Damaged live streams: each packet is accounted for, and no smeared picture counts as whole."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import pytest

from streamer.sources.live_decoder import live_pictures
from streamer.vendors import pyav
from tests import h264_fields, packets
from tests.edits import BOTH, Edit, Edited
from tests.runs import SHARED
from tests.sources.damaged import (
    CODECS,
    FRAMES,
    PACKET,
    Shown,
    live,
    packets_of_pictures,
    plain,
    transport_stream,
    without,
)
from tests.videos import damage, write_video

CASES = SHARED / "cases"


def damaged(codec: str, lost: Collection[int], place: Path) -> tuple[list[Shown | str], int, list[Shown], set[bytes]]:
    """A stream without these packets: its items, the number of packets left, FFmpeg's pictures, the whole pixels."""
    whole, hurt = place / "whole.ts", place / "hurt.ts"
    whole.write_bytes(transport_stream(codec))
    hurt.write_bytes(without(whole.read_bytes(), lost))
    items, count = live(hurt)
    return items, count, plain(hurt), {picture.pixels for picture in plain(whole)}


def pictures(items: list[Shown | str]) -> list[Shown]:
    return [item for item in items if isinstance(item, Shown)]


def bursts(codec: str) -> set[int]:
    """Three packets behind every 40th, from the second group of pictures on."""
    content = packets_of_pictures(transport_stream(codec))
    first = content[12][0]
    return {number for number in range(first, content[-2][-1]) if (number - first) % 40 < 3}


def _units(data: bytes) -> list[bytes]:
    return [unit for unit in data.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1") if unit]


def _kind(data: bytes) -> int:
    """The type of the first unit of a picture of HEVC."""
    return next(kind for unit in _units(data) if (kind := unit[0] >> 1 & 0x3F) < 32)


def _made(data: bytes, kind: int, other: int) -> bytes:
    """The packet with its units of one type changed into another."""
    return b"".join(
        b"\0\0\0\1" + (bytes([other << 1]) + unit[1:] if unit[0] >> 1 & 0x3F == kind else unit)
        for unit in _units(data)
    )


@pytest.mark.parametrize("codec", list(CODECS))
def test_each_packet_of_a_damaged_stream_is_a_picture_or_a_reason(codec: str, tmp_path: Path) -> None:
    items, count, decoded, whole = damaged(codec, bursts(codec), tmp_path)
    assert len(items) == count
    found = pictures(items)
    assert [picture.tick for picture in found] == [picture.tick for picture in decoded], "as FFmpeg decodes it"
    smeared = [picture for picture in found if picture.pixels not in whole]
    assert smeared
    assert all(picture.corrupt or picture.after_damage for picture in smeared)


@pytest.mark.parametrize("codec", list(CODECS))
def test_damage_ends_with_the_next_key_frame_or_recovery_point(codec: str, tmp_path: Path) -> None:
    of_pictures = packets_of_pictures(transport_stream(codec))
    hit = max(range(5, 12), key=lambda number: len(of_pictures[number]))
    items, count, _, whole = damaged(codec, set(of_pictures[hit][-2:]), tmp_path)
    found = pictures(items)
    assert len(items) == count == FRAMES
    assert any(picture.pixels not in whole for picture in found)
    assert all(picture.corrupt or picture.after_damage or picture.pixels in whole for picture in found)
    marked = [place for place, picture in enumerate(found) if picture.corrupt or picture.after_damage]
    # A round of intra refresh that was under way does not end damage; the next one takes as long.
    assert 5 <= min(marked) < max(marked) < (45 if "refresh" in codec else 28)


@pytest.mark.parametrize("codec", [codec for codec in CODECS if "refresh" not in codec])
def test_a_key_frame_that_is_damaged_itself_ends_nothing(codec: str, tmp_path: Path) -> None:
    content = transport_stream(codec)
    of_pictures = packets_of_pictures(content)
    largest = max(range(10, 30), key=lambda number: len(of_pictures[number]))
    items, _, _, whole = damaged(codec, set(of_pictures[largest][-3:]), tmp_path)
    found = pictures(items)
    smeared = [picture for picture in found if picture.pixels not in whole]
    assert len(smeared) > 5
    assert all(picture.corrupt or picture.after_damage for picture in smeared)


@pytest.mark.parametrize(("codec", "container"), BOTH)
def test_a_stream_without_damage_gives_its_pictures_and_no_more(codec: str, container: str, tmp_path: Path) -> None:
    path = tmp_path / "whole"
    packets.write(path, codec, container, packets.clip(codec))
    items, _ = live(path)
    assert items == plain(path)


@pytest.mark.skipif(not CASES.is_dir(), reason="../shared/cases is absent: its files are not here")
@pytest.mark.parametrize("name", ["vp8alt.webm", "paff.ts", "paff-onepes.ts", "packed.avi", "xvid.avi", "gap.mkv"])
def test_hidden_pictures_second_fields_and_pictures_not_coded_are_not_missed(name: str) -> None:
    assert live(CASES / name)[0] == plain(CASES / name)


def test_a_hidden_picture_is_not_missed(tmp_path: Path) -> None:
    path = tmp_path / "hidden.mkv"
    Edited("vp8", "mkv", (Edit("hide", 5, 1),)).write(path)
    items, count = live(path)
    assert items == plain(path)
    assert len(items) == count - 1


@pytest.mark.parametrize("codec", list(CODECS))
def test_a_stream_joined_in_mid_group_misses_nothing_before_its_first_picture(codec: str, tmp_path: Path) -> None:
    content = transport_stream(codec)
    path, whole = tmp_path / "joined.ts", tmp_path / "whole.ts"
    whole.write_bytes(content)
    path.write_bytes(content[: 3 * PACKET] + content[packets_of_pictures(content)[5][0] * PACKET :])
    found = pictures(live(path)[0])
    assert live(path)[0] == found
    assert [picture.pixels for picture in found] == [picture.pixels for picture in plain(path)]
    right = {picture.pixels for picture in plain(whole)}
    # For MPEG-4 missing references are painted, without a mark.
    assert found[0].after_damage == codec.startswith("mpeg4")
    assert all(picture.pixels in right or picture.after_damage or picture.corrupt for picture in found)
    assert not found[-1].after_damage


def test_each_picture_of_motion_jpeg_is_a_key_frame(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.avi", 12, codec="mjpeg", pixel_format="yuvj420p", size=(160, 120))
    damage(path, 5, filler=0)
    items, count = live(path)
    assert len(items) == count == 12
    assert [item.after_damage for item in pictures(items[6:])] == [False] * 6


def test_second_fields_without_times_are_not_missed(tmp_path: Path) -> None:
    path = tmp_path / "fields.264"
    path.write_bytes(b"".join(h264_fields.packets(["t", "b"] * 10 + ["f"] * 5 + ["b", "t"] * 5)))
    items, count = live(path)
    assert items == plain(path)
    assert len(items) < count


@pytest.mark.parametrize("container", ["264", "flv", "mp4"])
def test_packets_that_give_no_picture_are_reported_without_times_too(container: str, tmp_path: Path) -> None:
    clip = list(packets.clip("h264"))
    path = tmp_path / f"clip.{container}"
    for number in (5, 6, 11):  # a slice of a sequence that does not exist
        clip[number] = replace(clip[number], data=b"\0\0\0\1\x41\xe2\x01\x02\x03\x04\x05\x06\x07\x08")
    packets.write(path, "h264", container, clip)
    items, count = live(path)
    assert len(items) == count == len(clip)
    assert [place for place, item in enumerate(items) if isinstance(item, str)] == [5, 6, 11]
    assert [place for place, item in enumerate(items) if isinstance(item, Shown) and item.after_damage] == [
        7,
        *range(12, 16),
    ]


@pytest.mark.parametrize("cut", [21, 16])
def test_leading_pictures_that_hevc_skips_are_not_missed(cut: int, tmp_path: Path) -> None:
    """Decoding begins at a CRA picture, or reaches one that became a BLA picture where streams are joined."""
    clip = list(packets.clip("hevc with B-frames"))
    places = [place for place, coded in enumerate(clip) if _kind(coded.data) == 21]
    assert places, "open groups of pictures"
    place = places[0]
    if cut == 21:
        clip = clip[place:]
    else:
        clip[place] = replace(clip[place], data=_made(clip[place].data, 21, 16))
    path = tmp_path / "clip.mkv"
    packets.write(path, "hevc with B-frames", "mkv", clip)
    items, count = live(path)
    assert items == plain(path)
    assert len(items) < count, "leading pictures were skipped"


def test_packets_are_reported_while_a_first_picture_never_comes(tmp_path: Path) -> None:
    path = tmp_path / "clip.mkv"
    clip = [coded for coded in packets.clip("hevc with B-frames") if not coded.keyframe]
    packets.write(path, "hevc with B-frames", "mkv", clip)
    with pyav.open_input(str(path)) as container:
        video = container.streams.video[0]
        reasons = [decoded.what for decoded in live_pictures(pyav.demux(container, video), video)]
    assert set(reasons) == {"its data gave no picture"}
    assert len(reasons) == len(clip)
