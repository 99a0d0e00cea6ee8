"""Whether a video file is complete, by the length that its own structure declares.

Each container declares it differently: an MP4 is a row of boxes, an AVI one of RIFF chunks, a Matroska file is one
segment, a transport stream a row of packets of one size. Raw streams declare none.
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
"""The boxes of a file (ISO/IEC 14496-12, 6.2.3, and QuickTime's); another one that reaches beyond its end is junk."""


def cut_off_before_its_index(path: Path) -> bool:
    """Whether this is an MP4 without its index (moov), as a recording that was cut off leaves it."""
    with path.open("rb") as file:
        boxes = _mp4_end(file)[1]
    return b"ftyp" in boxes and b"moov" not in boxes


def ends_early(path: Path, format_name: str) -> bool:
    """Whether the file is shorter than its structure declares; ``format_name`` is FFmpeg's for the container."""
    with path.open("rb") as file:
        return _promised_end(file, format_name) > file.seek(0, SEEK_END)


def indexes_every_frame(path: Path) -> bool:
    """Whether this is an MP4 with one index of all frames; in fragments it has an index for each."""
    with path.open("rb") as file:
        boxes = _mp4_end(file)[1]
    return b"moov" in boxes and b"moof" not in boxes


def _promised_end(file: BinaryIO, format_name: str) -> int:
    """The end of the file by its own structure, in bytes; 0 where that declares none."""
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
    """The end of the last box, and the types of the complete boxes."""
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
    """The end of the last RIFF chunk: a long AVI has several. A live recorder may leave a size of 0."""
    offset = 0
    while (head := _at(file, offset, 8))[:4] == b"RIFF" and (size := struct.unpack_from("<I", head, 4)[0]):
        offset += 8 + size + size % 2
    return offset


def _matroska_end(file: BinaryIO) -> int:
    """The end of the first segment; 0 where its size is open, as a live recorder leaves it."""
    head = _at(file, 0, 12)
    size, length = _ebml_size(head[4:])
    start = 4 + length + size
    segment = _at(file, start, 12)
    if segment[:4] != b"\x18\x53\x80\x67":
        return 0
    size, length = _ebml_size(segment[4:])
    return 0 if size == (1 << 7 * length) - 1 else start + 4 + length + size


def _transport_stream_end(file: BinaryIO) -> int:
    """The end of the last packet whose sync byte is in the file; 0 where there is no row of packets."""
    length = file.seek(0, SEEK_END)
    row = transport_stream.find_row(_at(file, 0, transport_stream.LOOKED_AT))
    if row is None:
        return 0
    end = row.start + (length - row.start) // row.size * row.size
    begun = _at(file, end + row.before, 1) == bytes([transport_stream.SYNC])
    return end + row.size if begun else 0


def _ebml_size(data: bytes) -> tuple[int, int]:
    """An EBML element's size, and its length in bytes, which is in the leading zero bits (RFC 8794, 4)."""
    length = 9 - data[0].bit_length() if data and data[0] else 8
    return int.from_bytes(data[:length], "big") & ((1 << 7 * length) - 1), length


def _at(file: BinaryIO, offset: int, count: int) -> bytes:
    file.seek(offset)
    return file.read(count)
