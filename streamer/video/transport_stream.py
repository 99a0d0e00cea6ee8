"""The packets of an MPEG transport stream, and where some of them are missing.

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
"""Bytes from one packet to the next, and how many of them stand before the sync byte: .m2ts has a time there."""
_ENOUGH = 8
"""Packets by which a row of them is known."""
LOOKED_AT = (_ENOUGH + 1) * 204
"""Bytes in which a row of packets is looked for."""
_VIDEO = 0xE0
"""The number of a video's packetized elementary stream; the last four bits count (2.4.3.7)."""
_PAT = 0
"""The PID of the program association table, with which a segment begins."""

Bytes = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
_Places = np.ndarray[tuple[int, ...], np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class Row:
    """Packets one behind the other: the place of the first, bytes of each, and bytes before its sync byte."""

    start: int
    size: int
    before: int


@dataclass(frozen=True, slots=True)
class Jump:
    """A place at which the continuity counter of a stream jumps; the ``picture`` in which it does begins there.

    ``joined`` says that another stream begins there, as where segments are joined; else packets are missing, with
    ``between`` only such as hold whole pictures.
    """

    place: int
    picture: int
    between: bool
    joined: bool


@dataclass(frozen=True, slots=True)
class Run:
    """Pictures of one stream, with none of another between them: where the first and the last begin, and how many."""

    pid: int
    first: int
    last: int
    pictures: int


def find_row(head: bytes) -> Row | None:
    """The row of packets that begins in ``head``, whatever stands before it; None if there is none."""
    for start in range(204):
        for size, before in _SIZES:
            syncs = head[start + before :: size][:_ENOUGH]
            if len(syncs) > 1 and set(syncs) == {SYNC}:
                return Row(start, size, before)
    return None


def content(path: Path) -> Bytes:
    """What is in a file."""
    return np.memmap(path, np.uint8, "r")


def video_runs(data: Bytes) -> list[Run]:
    """The pictures by the stream that they belong to, one run after the other."""
    at, head = _heads(data)
    begins = np.flatnonzero(head[:, 1] & 0x40)
    # A packet's payload stands behind its adaptation field, if it has one (2.4.3.4), and a picture's begins so.
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
    """Where the continuity counter (2.4.3.3) of the stream ``pid`` jumps, in the order of the data."""
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
    """Whether another stream begins between two packets: with tables that count anew, or that a key frame follows.

    The counter of the tables may go on by chance.
    """
    is_key = bool(head[3] & 0x20) and head[4] > 0 and bool(head[5] & 0x40)  # random_access_indicator
    begun = tables if is_key else new_tables
    return bool(np.any((begun > last) & (begun < first)))


def _heads(data: Bytes) -> tuple[_Places, Bytes]:
    """The places of the packets' sync bytes, and the first six bytes of each from there."""
    at = np.concatenate([np.zeros(0, np.int64), *_packets(data)])
    return at, data[at[:, None] + np.arange(6)]


def _pids(head: Bytes) -> _Places:
    return (head[:, 1] & 0x1F).astype(np.int64) << 8 | head[:, 2]


def _packets(data: Bytes) -> Iterator[_Places]:
    """The places of the sync bytes; what is no packet is passed over."""
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
    """The numbers of those packets of one stream whose counter does not go on from the one before."""
    counter, payload = head[:, 3] & 15, head[:, 3] >> 4 & 1
    announced = ((head[:, 3] & 0x20) > 0) & (head[:, 4] > 0) & ((head[:, 5] & 0x80) > 0)  # discontinuity_indicator
    goes_on = counter[1:] == (counter[:-1] + payload[1:]) & 15
    return np.flatnonzero(~goes_on & ~announced[1:]) + 1


def _is_stuffed(data: Bytes, at: int) -> bool:
    """Whether the packet ends a picture: what remains of its last packet is stuffed (2.4.3.5)."""
    length = int(data[at + 4])
    return bool(data[at + 3] & 0x20) and (length == 0 or (length > 1 and int(data[at + 4 + length]) == 0xFF))
