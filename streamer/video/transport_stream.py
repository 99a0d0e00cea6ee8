"""The packets of an MPEG transport stream, and the places where some are missing.

All references are to ITU-T H.222.0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SYNC = 0x47
"""The byte with which a packet begins (2.4.3.2)."""
_SIZES = ((188, 0), (192, 4), (204, 0))
"""Bytes from one packet to the next, and the bytes before the sync byte: .m2ts has a time there."""
_ENOUGH = 8
"""The packets by which a row of them is recognised."""
LOOKED_AT = (_ENOUGH + 1) * 204
"""The bytes in which a row of packets is searched."""
_VIDEO = 0xE0
"""The stream_id of a video; the last four bits are its number (2.4.3.7)."""
_PAT = 0
"""The PID of the program association table, which begins a segment."""

Bytes = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
_Places = np.ndarray[tuple[int, ...], np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class Row:
    """Packets one behind the other: the place of the first, the bytes of each, and those before its sync byte."""

    start: int
    size: int
    before: int


@dataclass(frozen=True, slots=True)
class Jump:
    """A jump of a stream's continuity counter at ``place``, within the picture that begins at place ``picture``.

    ``joined`` says that another stream begins there, as where segments are joined. Else packets are missing; with
    ``between`` these hold whole pictures only.
    """

    place: int
    picture: int
    between: bool
    joined: bool


@dataclass(frozen=True, slots=True)
class Run:
    """Pictures of one stream in a row: the places at which the first and the last begin, and their number."""

    pid: int
    first: int
    last: int
    pictures: int


def find_row(head: bytes) -> Row | None:
    """The first row of packets in ``head``; None where there is none."""
    for start in range(204):
        for size, before in _SIZES:
            syncs = head[start + before :: size][:_ENOUGH]
            if len(syncs) > 1 and set(syncs) == {SYNC}:
                return Row(start, size, before)
    return None


def content(path: Path) -> Bytes:
    """The bytes of a file (n,), uint8, mapped into memory."""
    return np.memmap(path, np.uint8, "r")


def video_runs(data: Bytes) -> list[Run]:
    """The runs of pictures of one stream each, in the order of the data."""
    at, head = _heads(data)
    begins = np.flatnonzero(head[:, 1] & 0x40)
    # A packet's payload stands behind its adaptation field, if it has one (2.4.3.4).
    payload = at[begins] + 4 + np.where(head[begins, 3] & 0x20, head[begins, 4].astype(np.int64) + 1, 0)
    start = data[np.minimum(payload[:, None] + np.arange(4), len(data) - 1)]
    pictures = begins[(start[:, :3] == (0, 0, 1)).all(axis=1) & (start[:, 3] >> 4 == _VIDEO >> 4)]
    pids = _pids(head[pictures])
    if not len(pids):
        return []
    firsts = [0, *(np.flatnonzero(pids[1:] != pids[:-1]) + 1)]
    return [
        Run(int(pids[first]), int(at[pictures[first]]), int(at[pictures[end - 1]]), int(end - first))
        for first, end in zip(firsts, [*firsts[1:], len(pids)], strict=True)
    ]


def jumps(data: Bytes, pid: int) -> list[Jump]:
    """The jumps of the continuity counter (2.4.3.3) of the stream ``pid``, in the order of the data."""
    at, head = _heads(data)
    pids = _pids(head)
    own, tables = np.flatnonzero(pids == pid), np.flatnonzero(pids == _PAT)
    new_tables = tables[_jumps(head[tables])]
    pictures = own[(head[own, 1] & 0x40) > 0]
    found = []
    for number in _jumps(head[own]):
        last, first = own[number - 1], own[number]
        between = bool(head[first, 1] & 0x40) and _is_stuffed(data, int(at[last]))
        joined = bool(head[first, 1] & 0x40) and _new_between(head[first], last, first, tables, new_tables)
        begun = pictures[pictures < first]
        picture = int(at[begun[-1]]) if len(begun) else 0
        found.append(Jump(int(at[first]), picture, between or joined, joined))
    return found


def _new_between(head: Bytes, last: int, first: int, tables: _Places, new_tables: _Places) -> bool:
    """Whether another stream begins between two packets: there are tables that count anew, or before a key frame.

    The counter of the tables alone is not enough: it may go on by chance.
    """
    is_key = bool(head[3] & 0x20) and head[4] > 0 and bool(head[5] & 0x40)  # random_access_indicator
    begun = tables if is_key else new_tables
    return bool(np.any((begun > last) & (begun < first)))


def _heads(data: Bytes) -> tuple[_Places, Bytes]:
    """The places of the packets' sync bytes (n,), and the six bytes from each (n, 6)."""
    at = np.concatenate([np.zeros(0, np.int64), *_packets(data)])
    return at, data[at[:, None] + np.arange(6)]


def _pids(head: Bytes) -> _Places:
    return (head[:, 1] & 0x1F).astype(np.int64) << 8 | head[:, 2]


def _packets(data: Bytes) -> Iterator[_Places]:
    """The places of the sync bytes, a row of packets at a time; other data is skipped."""
    begin = 0
    while (row := find_row(data[begin : begin + LOOKED_AT].tobytes())) is not None:
        first = begin + row.start + row.before
        wrong = np.flatnonzero(data[first :: row.size] != SYNC)
        count = int(wrong[0]) if len(wrong) else len(range(first, len(data) - 187, row.size))
        yield first + row.size * np.arange(count, dtype=np.int64)
        begin = first - row.before + row.size * count
        if not len(wrong):
            return


def _jumps(head: Bytes) -> _Places:
    """The numbers of the packets of one stream whose counter does not continue that of the packet before."""
    counter, payload = head[:, 3] & 15, head[:, 3] >> 4 & 1
    announced = ((head[:, 3] & 0x20) > 0) & (head[:, 4] > 0) & ((head[:, 5] & 0x80) > 0)  # discontinuity_indicator
    goes_on = counter[1:] == (counter[:-1] + payload[1:]) & 15
    return np.flatnonzero(~goes_on & ~announced[1:]) + 1


def _is_stuffed(data: Bytes, at: int) -> bool:
    """Whether the packet ends a picture, by the stuffing in a picture's last packet (2.4.3.5)."""
    length = int(data[at + 4])
    return bool(data[at + 3] & 0x20) and (length == 0 or (length > 1 and int(data[at + 4 + length]) == 0xFF))
