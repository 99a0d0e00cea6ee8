"""Whether a video file is all there, by what its own structure says about its length.

Each container says it differently: an MP4 is a row of boxes, an AVI of RIFF chunks, a Matroska file is one
segment, a transport stream a row of packets of one size. Raw streams say nothing.
"""

from __future__ import annotations

import struct
from os import SEEK_END
from pathlib import Path
from typing import BinaryIO

from streamer.video import transport_stream

_MP4_BOXES = {
    *(b"ftyp", b"moov", b"mdat", b"moof", b"mfra", b"styp", b"sidx", b"ssix", b"emsg", b"prft", b"pdin"),
    *(b"meta", b"udta", b"uuid", b"free", b"skip", b"wide"),
}
"""Boxes of a file (ISO/IEC 14496-12, 6.2.3, and QuickTime's): others that reach beyond its end are junk behind it."""


def cut_off_before_its_index(path: Path) -> bool:
    """Whether this is an MP4 whose index (moov) is missing, as at the end of a recording that was cut off."""
    with path.open("rb") as file:
        boxes = _mp4_end(file)[1]
    return b"ftyp" in boxes and b"moov" not in boxes


def ends_early(path: Path, format_name: str) -> bool:
    """Whether the file is shorter than its structure says; ``format_name`` is FFmpeg's for the container."""
    with path.open("rb") as file:
        return _promised_end(file, format_name) > file.seek(0, SEEK_END)


def indexes_every_frame(path: Path) -> bool:
    """Whether this is an MP4 with one index of all frames, not one in fragments that each bring their own."""
    with path.open("rb") as file:
        boxes = _mp4_end(file)[1]
    return b"moov" in boxes and b"moof" not in boxes


def _promised_end(file: BinaryIO, format_name: str) -> int:
    """Where the file should end by its own structure; 0 where that does not say."""
    if "mp4" in format_name:
        return _mp4_end(file)[0]
    if format_name == "avi":
        return _riff_end(file)
    if format_name.startswith("matroska"):
        return _matroska_end(file)
    if format_name == "mpegts":
        return _transport_stream_end(file)
    return 0


def _mp4_end(file: BinaryIO) -> tuple[int, set[bytes]]:
    """Where the last box ends, and which boxes are there as a whole."""
    length = file.seek(0, SEEK_END)
    offset, boxes = 0, set[bytes]()
    while len(head := _at(file, offset, 16)) >= 8:
        size, kind = struct.unpack_from(">I4s", head)
        if size == 1 and len(head) == 16:
            size = struct.unpack_from(">Q", head, 8)[0]
        if size < 8 or not kind.isalnum() or (kind not in _MP4_BOXES and offset + size > length):
            break
        offset += size
        if offset <= length:
            boxes.add(kind)
    return offset, boxes


def _riff_end(file: BinaryIO) -> int:
    """The end of the last RIFF chunk: a long AVI has several; a size of 0 was left by a live recorder."""
    offset = 0
    while (head := _at(file, offset, 8))[:4] == b"RIFF" and (size := struct.unpack_from("<I", head, 4)[0]):
        offset += 8 + size + size % 2
    return offset


def _matroska_end(file: BinaryIO) -> int:
    """The end of the first segment; 0 where its size was left open, as by a live recorder."""
    head = _at(file, 0, 12)
    size, length = _ebml_size(head[4:])
    start = 4 + length + size
    segment = _at(file, start, 12)
    if segment[:4] != b"\x18\x53\x80\x67":
        return 0
    size, length = _ebml_size(segment[4:])
    return 0 if size == (1 << 7 * length) - 1 else start + 4 + length + size


def _transport_stream_end(file: BinaryIO) -> int:
    """The end of the last packet, of which at least the sync byte is there; 0 where no row of packets is found."""
    length = file.seek(0, SEEK_END)
    row = transport_stream.find_row(_at(file, 0, transport_stream.LOOKED_AT))
    if row is None:
        return 0
    end = row.start + (length - row.start) // row.size * row.size
    begun = _at(file, end + row.before, 1) == bytes([transport_stream.SYNC])
    return end + row.size if begun else 0


def _ebml_size(data: bytes) -> tuple[int, int]:
    """An EBML element's size and how many bytes that took: the leading zero bits say it."""
    length = 9 - data[0].bit_length() if data and data[0] else 8
    return int.from_bytes(data[:length], "big") & ((1 << 7 * length) - 1), length


def _at(file: BinaryIO, offset: int, count: int) -> bytes:
    file.seek(offset)
    return file.read(count)
