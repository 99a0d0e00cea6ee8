"""The kinds of faults, a row each: what can go wrong, where, and what a fault of the kind may say.

To add one, add its name and its row here, its effect in the file of its target, such as ``source.py`` or
``engine.py``, and what becomes of it in ``tests/docs/pages/faults.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum, auto


class Target(Enum):
    """What a fault is injected into, and what cannot be in the same run."""

    SOURCE = auto()
    ARRIVALS = auto()
    """When frames arrive: of a live source and in a closed loop no schedule says it."""
    TIMESTAMPS = auto()
    """The frame times of a file: a live source has none."""
    ENGINE = auto()
    SINK = auto()
    PROCESS = auto()


@dataclass(frozen=True, slots=True)
class Row:
    """What is known of a kind.

    ``needs`` are the keys that a fault must have beside its instant, ``takes`` those that it may have. A fault that
    does not say it is injected at so many ``frames``; None: at all from the first on. ``respawn`` is for one that
    needs an engine in a process of its own; ``signals`` for one that stops or ends a process by a signal.
    """

    target: Target
    about: str
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    frames: int | None = 1
    respawn: bool = False
    signals: bool = False


class Kind(StrEnum):
    """What can go wrong, by its name in a plan; its row is in KINDS."""

    STALL = "stall"
    BURST = "burst"
    JITTER = "jitter"
    DUPLICATE_PTS = "duplicate-pts"
    BACKWARD_PTS = "backward-pts"
    CORRUPT = "corrupt"
    BLACK = "black"
    RESOLUTION = "resolution"
    END = "end"
    ENGINE_SLOW = "engine-slow"
    ENGINE_RAISE = "engine-raise"
    ENGINE_HANG = "engine-hang"
    ENGINE_KILL = "engine-kill"
    ENGINE_LEAK = "engine-leak"
    SINK_SLOW = "sink-slow"
    SINK_FAIL = "sink-fail"
    DISK_FULL = "disk-full"
    STOP = "stop"
    HOG = "hog"


KINDS: Mapping[Kind, Row] = {
    Kind.STALL: Row(Target.SOURCE, "the source gives nothing for so long", needs=("for",)),
    Kind.BURST: Row(Target.ARRIVALS, "so many frames arrive with the last of them", needs=("frames",)),
    Kind.JITTER: Row(Target.ARRIVALS, "so many frames arrive later, each by up to so much", needs=("ms", "frames")),
    Kind.DUPLICATE_PTS: Row(Target.TIMESTAMPS, "the frame times of the file are repeated", frames=None),
    Kind.BACKWARD_PTS: Row(Target.TIMESTAMPS, "the frame times of the file jump back", frames=None),
    Kind.CORRUPT: Row(Target.SOURCE, "the frame cannot be decoded", takes=("frames",)),
    Kind.BLACK: Row(Target.SOURCE, "the frame is black", takes=("frames",)),
    Kind.RESOLUTION: Row(Target.SOURCE, "the frames come in another size", needs=("size",), frames=None),
    Kind.END: Row(Target.SOURCE, "the stream ends", frames=None),
    Kind.ENGINE_SLOW: Row(Target.ENGINE, "infer takes so much longer", needs=("ms",), takes=("frames",)),
    Kind.ENGINE_RAISE: Row(Target.ENGINE, "infer raises an error"),
    Kind.ENGINE_HANG: Row(Target.ENGINE, "infer does not return", signals=True),
    Kind.ENGINE_KILL: Row(Target.ENGINE, "the process of the engine is killed", respawn=True, signals=True),
    Kind.ENGINE_LEAK: Row(Target.ENGINE, "each frame keeps so much more memory", needs=("kb",), frames=None),
    Kind.SINK_SLOW: Row(Target.SINK, "the sink takes so much longer", needs=("ms",), takes=("frames",)),
    Kind.SINK_FAIL: Row(Target.SINK, "the sink raises an error"),
    Kind.DISK_FULL: Row(Target.SINK, "no space is left on the disk"),
    Kind.STOP: Row(Target.PROCESS, "streamer is stopped for so long", needs=("for",), signals=True),
    Kind.HOG: Row(Target.PROCESS, "other processes take so many cores for so long", needs=("cores", "for")),
}
