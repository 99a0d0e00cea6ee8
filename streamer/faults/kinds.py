"""The kinds of faults, a row each: what goes wrong, where it is injected, its keys in a plan, and its effects.

To add one, add its name and its row here, and its effect in the file of its target, such as ``source.py`` or
``engine.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum, auto


class Target(Enum):
    """The stage that a fault is injected into."""

    SOURCE = auto()
    ARRIVALS = auto()
    """When frames arrive. A live source and a closed loop have no schedule for it, and cannot have such a fault."""
    TIMESTAMPS = auto()
    """The frame times of a file. A live source has none, and cannot have such a fault."""
    ENGINE = auto()
    SINK = auto()
    PROCESS = auto()


@dataclass(frozen=True, slots=True)
class Effect:
    """What a fault does to ledger and video, and the exit code of a replay; ``case`` is when, "" in any case."""

    text: str
    exit_code: str = "0"
    case: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A kind: what goes wrong (``about``), what becomes of the run (``effects``), and the keys of such a fault.

    ``needs`` are the keys that a fault must have beside its instant, ``takes`` those that it may have. A fault
    without the key ``frames`` is injected at ``frames`` of them; None: at all from the first on. ``respawn``: it
    needs an engine in a process of its own. ``signals``: it stops or ends a process by a signal.
    """

    target: Target
    about: str
    effects: tuple[Effect, ...]
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    frames: int | None = 1
    respawn: bool = False
    signals: bool = False


class Kind(StrEnum):
    """A kind of fault, by its name in a plan; its row is in KINDS."""

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


_COUNTED = Effect("The frame rate is used instead of all times, and a doubt says so.")

KINDS: Mapping[Kind, Row] = {
    Kind.STALL: Row(
        Target.SOURCE,
        "the source gives nothing for a while",
        (
            Effect(
                "Frames that fall due meanwhile, and up to four that had been decoded ahead, are offered late and at "
                "once, and dropped as the policy says."
            ),
            Effect("The source is stuck. Frames that fell due are `abandoned`.", "1", "longer than `--stall`"),
        ),
        needs=("for",),
    ),
    Kind.BURST: Row(
        Target.ARRIVALS,
        "frames are held back and arrive at once",
        (Effect("All `frames` arrive with the last of them, and are due then."),),
        needs=("frames",),
    ),
    Kind.JITTER: Row(
        Target.ARRIVALS,
        "frames arrive late",
        (
            Effect(
                "Each of the `frames` arrives later, by up to `ms` (random, but the same every time). None overtakes "
                "another."
            ),
        ),
        needs=("ms", "frames"),
    ),
    Kind.DUPLICATE_PTS: Row(Target.TIMESTAMPS, "the frame times of the file are repeated", (_COUNTED,), frames=None),
    Kind.BACKWARD_PTS: Row(Target.TIMESTAMPS, "the frame times of the file jump back", (_COUNTED,), frames=None),
    Kind.CORRUPT: Row(
        Target.SOURCE,
        "the frame cannot be decoded",
        (Effect("`decode_error`; not in the video."),),
        takes=("frames",),
    ),
    Kind.BLACK: Row(Target.SOURCE, "the frame is black", (Effect("`delivered`; black."),), takes=("frames",)),
    Kind.RESOLUTION: Row(
        Target.SOURCE,
        "the frames come in another size",
        (
            Effect(
                "Frames come in this size from there on, and are scaled to that of the first, as with a file or an "
                "address that changes it. A doubt says how many."
            ),
        ),
        needs=("size",),
        frames=None,
    ),
    Kind.END: Row(
        Target.SOURCE,
        "the stream ends",
        (Effect("The stream ends before that frame. Other streams go on."),),
        frames=None,
    ),
    Kind.ENGINE_SLOW: Row(
        Target.ENGINE,
        "infer takes longer by `ms`",
        (Effect("Frames that fall due meanwhile wait, or are dropped as the policy says."),),
        needs=("ms",),
        takes=("frames",),
    ),
    Kind.ENGINE_RAISE: Row(
        Target.ENGINE,
        "infer raises an error",
        (Effect("`engine_error`; frames that wait are `abandoned`.", "1"),),
    ),
    Kind.ENGINE_HANG: Row(
        Target.ENGINE,
        "infer does not return",
        (
            Effect(
                "`engine_error` after `--stall`, and `stalls` says where it was. Frames that fell due are dropped or "
                "`abandoned`.",
                "1",
            ),
            Effect(
                "The engine's process is stopped and replaced: `engine_error`, and frames due meanwhile are dropped "
                "as the policy says.",
                case="with `--respawn`",
            ),
        ),
        signals=True,
    ),
    Kind.ENGINE_KILL: Row(
        Target.ENGINE,
        "the process of the engine is killed",
        (
            Effect(
                "The engine's process gets SIGKILL and is replaced, as above.",
                "0; 1 when it was replaced N times before",
                "needs `--respawn`",
            ),
        ),
        respawn=True,
        signals=True,
    ),
    Kind.ENGINE_LEAK: Row(
        Target.ENGINE,
        "memory grows with each frame",
        (Effect("From there on streamer keeps `kb` more memory with each frame: a soak is to find it."),),
        needs=("kb",),
        frames=None,
    ),
    Kind.SINK_SLOW: Row(
        Target.SINK,
        "the sink takes longer by `ms`",
        (
            Effect("The engine waits for the sink; frames that fall due meanwhile wait, or are dropped."),
            Effect("`sink_error`, and the sink is stuck.", "1", "longer than `--stall`"),
        ),
        needs=("ms",),
        takes=("frames",),
    ),
    Kind.SINK_FAIL: Row(
        Target.SINK,
        "the sink raises an error",
        (Effect("`sink_error`; the video ends before that frame.", "1"),),
    ),
    Kind.DISK_FULL: Row(
        Target.SINK,
        "no space is left on the disk",
        (
            Effect(
                "Writing fails with *no space left*: `sink_error` if a frame's detections could not be written. No "
                "row is lost, but up to a second of the video.",
                "1",
            ),
        ),
    ),
    Kind.STOP: Row(
        Target.PROCESS,
        "streamer is stopped for a while",
        (
            Effect(
                "streamer gets SIGSTOP, then SIGCONT. Frames are late as in a stall, and no stage counts as stuck. A "
                "live source from which nothing was read for 6 s has an outage. An interactive shell then has "
                "streamer in the background."
            ),
        ),
        needs=("for",),
        signals=True,
    ),
    Kind.HOG: Row(
        Target.PROCESS,
        "other processes use cores for a while",
        (Effect("The latency shows the effect."),),
        needs=("cores", "for"),
    ),
}
