"""Files whose structure is not as it should be: packets lost, doubled, out of order, at wrong times; ends cut off."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hypothesis import strategies as st

from tests.packets import CODECS, INTERVAL_MS, Coded, clip, write

Packets = list[Coded]


def _drop(packets: Packets, at: int, by: int) -> Packets:
    return packets[:at] + packets[at + by :]


def _repeat(packets: Packets, at: int, by: int) -> Packets:
    return packets[:at] + [packets[at]] * by + packets[at:]


def _move(packets: Packets, at: int, by: int) -> Packets:
    rest = packets[:at] + packets[at + 1 :]
    to = max(0, at + by)
    return [*rest[:to], packets[at], *rest[to:]]


def _move_all_but_times(packets: Packets, at: int, by: int) -> Packets:
    return [
        replace(moved, pts=one.pts, dts=one.dts) for moved, one in zip(_move(packets, at, by), packets, strict=True)
    ]


def _shift(packets: Packets, at: int, by: int) -> Packets:
    return [*packets[:at], _later(packets[at], by), *packets[at + 1 :]]


def _jump(packets: Packets, at: int, by: int) -> Packets:
    return packets[:at] + [_later(one, by) for one in packets[at:]]


def _same_time(packets: Packets, at: int, by: int) -> Packets:
    other = packets[max(0, at - by)]
    return [*packets[:at], replace(packets[at], pts=other.pts, dts=other.dts), *packets[at + 1 :]]


def _no_time(packets: Packets, at: int, by: int) -> Packets:
    return packets[:at] + [replace(one, pts=None, dts=None) for one in packets[at : at + by]] + packets[at + by :]


def _hide(packets: Packets, at: int, by: int) -> Packets:
    """A VP8 frame that is decoded and not shown, as encoders make them to refer to; others stay as they are."""
    one = packets[at]
    return [*packets[:at], replace(one, data=bytes([one.data[0] & 0xEF]) + one.data[1:]), *packets[at + 1 :]]


def _later(one: Coded, by: int) -> Coded:
    return replace(one, pts=None if one.pts is None else one.pts + by, dts=None if one.dts is None else one.dts + by)


_JUNK = b"\xaa"
"""No letter, with which a box of an MP4 would begin, the rest of it missing."""
_FEW = st.integers(1, 3)
_NEAR = st.sampled_from([-3, -2, -1, 1, 2, 3])
_TIMES_MS = st.sampled_from([-1000, -100, -INTERVAL_MS, -13, 13, INTERVAL_MS, 100, 1000])
_GAPS_MS = st.sampled_from([-3000, -400, 400, 3000, 20_000])

_PACKETS: Mapping[str, tuple[Callable[[Packets, int, int], Packets], st.SearchStrategy[int]]] = {
    "drop": (_drop, _FEW),
    "repeat": (_repeat, _FEW),
    "move": (_move, _NEAR),
    "move all but times": (_move_all_but_times, _NEAR),
    "shift": (_shift, _TIMES_MS),
    "jump": (_jump, _GAPS_MS),
    "same time": (_same_time, _FEW),
    "no time": (_no_time, st.sampled_from([1, 3, 100])),
    "hide": (_hide, st.just(1)),
}
"""What is done to packets from a place on, and how much of it."""

_BYTES: Mapping[str, tuple[Callable[[bytes, int], bytes], st.SearchStrategy[int]]] = {
    "cut off": (lambda content, share: content[: len(content) * share // 100], st.integers(30, 99)),
    "junk before": (lambda content, count: _JUNK * count + content, st.sampled_from([1, 50, 188, 1000])),
    "junk behind": (lambda content, count: content + _JUNK * count, st.sampled_from([1, 50, 188, 1000])),
    "joined": (lambda content, times: content * times, st.integers(2, 3)),
}
"""What is done to the bytes of the whole file, and how much of it."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Something done to a file's packets from ``at`` on, or to its bytes; ``by`` says how much."""

    kind: str
    at: int
    by: int


@dataclass(frozen=True, slots=True)
class Edited:
    """A file to be made: a clip in a container, and what is done to it."""

    codec: str
    container: str
    edits: tuple[Edit, ...]

    def __str__(self) -> str:
        done = "; ".join(f"{edit.kind} {edit.at} {edit.by}" for edit in self.edits)
        return f"{self.codec} in {self.container}: {done}"

    @property
    def cut_off(self) -> bool:
        """A part of a packet may be in it."""
        return any(edit.kind == "cut off" for edit in self.edits)

    def write(self, path: Path) -> int:
        """Makes the file; returns how many packets it holds, but for what is cut off or joined."""
        packets = list(clip(self.codec))
        for edit in self.edits:
            if edit.kind in _PACKETS and packets:
                packets = _PACKETS[edit.kind][0](packets, edit.at % len(packets), edit.by)
        write(path, self.codec, self.container, packets)
        content = path.read_bytes()
        for edit in self.edits:
            if edit.kind in _BYTES:
                content = _BYTES[edit.kind][0](content, edit.by)
        path.write_bytes(content)
        return len(packets)


def edits(codec: str) -> st.SearchStrategy[Edit]:
    """Anything that may be done to a file of this codec."""
    places = st.integers(0, len(clip(codec)) - 1)
    kinds = {**{kind: by for kind, (_, by) in _PACKETS.items()}, **{kind: by for kind, (_, by) in _BYTES.items()}}
    if codec != "vp8":
        del kinds["hide"]
    return st.one_of(
        *(
            st.builds(Edit, st.just(kind), places if kind in _PACKETS else st.just(0), by)
            for kind, by in kinds.items()
        )
    )


def files(codecs: Sequence[tuple[str, str]] = ()) -> st.SearchStrategy[Edited]:
    """Files of a codec in a container, of ``codecs`` or any, with up to four edits."""
    return st.sampled_from(codecs or BOTH).flatmap(
        lambda both: st.builds(
            Edited, st.just(both[0]), st.just(both[1]), st.lists(edits(both[0]), max_size=4).map(tuple)
        )
    )


BOTH = [(name, container) for name, codec in CODECS.items() for container in codec.containers]
"""Each codec with each of its containers."""
