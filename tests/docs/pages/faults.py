"""docs/reference/faults.md, made from the rows of streamer/faults/kinds.py and from the effects of each."""

from __future__ import annotations

from collections.abc import Mapping

from streamer.faults.kinds import KINDS, Kind
from tests.docs.pages.markdown import MADE, codes, table

HEADING = f"""# Faults

The table lists the kinds of faults that a plan may inject with `--faults plan.toml`. [Inject
faults](../howto/faults.md) explains how to write a plan. {MADE}

- A fault has a `kind` and an instant: `frame` or `at`. `stream` is the number of the stream (0).
- *keys* are the other keys that a fault of the kind needs. Keys in brackets are optional, with their default.

"""
KEYS = """
| key | value |
|---|---|
| `frame` | the number of the frame, 1 or later |
| `at` | a time of the run, as in `"3.2s"` |
| `stream` | the number of the stream; 0 by default |
| `for` | how long it lasts, as in `"500ms"` |
| `frames` | how many frames |
| `ms` | milliseconds |
| `size` | a size, as in `"320x240"` |
| `kb` | kilobytes |
| `cores` | processor cores |
"""
BECOMES: Mapping[Kind, tuple[tuple[str, str, str], ...]] = {
    Kind.STALL: (
        (
            "",
            "Frames that are due meanwhile, and up to four that were decoded ahead, are offered late and at once. "
            "The policy drops some of them.",
            "0",
        ),
        ("longer than `--stall`", "The source is stuck. Frames that were due are `abandoned`.", "1"),
    ),
    Kind.BURST: (("", "The given number of frames is held back. All arrive, and are due, with the last one.", "0"),),
    Kind.JITTER: (
        (
            "",
            "Each of the given number of frames arrives up to `ms` later (random, but the same in every run). No "
            "frame overtakes another.",
            "0",
        ),
    ),
    Kind.DUPLICATE_PTS: (("", "The frame rate is used instead of all times, and a doubt says so.", "0"),),
    Kind.BACKWARD_PTS: (("", "The frame rate is used instead of all times, and a doubt says so.", "0"),),
    Kind.CORRUPT: (("", "`decode_error`; not in the video.", "0"),),
    Kind.BLACK: (("", "`delivered`; black.", "0"),),
    Kind.RESOLUTION: (
        (
            "",
            "From there on frames come in this size, and are scaled to the size of the first frame. A file or an "
            "address whose size changes is treated in the same way. A doubt says how many frames were scaled.",
            "0",
        ),
    ),
    Kind.END: (("", "The stream ends before that frame. Other streams go on.", "0"),),
    Kind.ENGINE_SLOW: (("", "Frames that are due meanwhile wait, or are dropped by the policy.", "0"),),
    Kind.ENGINE_RAISE: (("", "`engine_error`; waiting frames are `abandoned`.", "1"),),
    Kind.ENGINE_HANG: (
        (
            "",
            "`engine_error` after `--stall`; `stalls` in `run.json` says where it hung. Frames that were due are "
            "dropped or `abandoned`.",
            "1",
        ),
        (
            "with `--respawn`",
            "Its process is stopped and replaced: `engine_error`. Frames due meanwhile are dropped by the policy.",
            "0",
        ),
    ),
    Kind.ENGINE_KILL: (
        (
            "needs `--respawn`",
            "Its process gets SIGKILL, and is replaced as above.",
            "0; 1 when it was replaced N times before",
        ),
    ),
    Kind.ENGINE_LEAK: (
        ("", "From there on streamer keeps this much more memory with each frame. A soak must find it.", "0"),
    ),
    Kind.SINK_SLOW: (
        ("", "The engine waits for the sink. Frames that are due meanwhile wait, or are dropped.", "0"),
        ("longer than `--stall`", "`sink_error`, and the sink is stuck.", "1"),
    ),
    Kind.SINK_FAIL: (("", "`sink_error`; the video ends before that frame.", "1"),),
    Kind.DISK_FULL: (
        (
            "",
            "Each write fails with *no space left*: `sink_error` when it was a write of a frame's detections. No row "
            "is lost. Up to a second of the video is lost.",
            "1",
        ),
    ),
    Kind.STOP: (
        (
            "",
            "streamer gets SIGSTOP, then SIGCONT. Frames are late as in a stall, and no stage counts as stuck. A "
            "live source from which nothing was read for 6 s has an outage. In an interactive shell streamer is then "
            "in the background.",
            "0",
        ),
    ),
    Kind.HOG: (("", "The latency shows the effect.", "0"),),
}
"""The effects of each kind: the case, the effect on ledger and video, and the exit code of a replay."""


def page() -> str:
    """The text of the page."""
    rows = (
        (*((f"`{kind}`", row.about, _keys(kind)) if number == 0 else ("", "", "")), *becomes)
        for kind, row in KINDS.items()
        for number, becomes in enumerate(BECOMES[kind])
    )
    heading = ("kind", "what goes wrong", "keys", "case", "ledger and video", "exit code")
    return HEADING + table(*heading, rows=rows) + KEYS


def _keys(kind: Kind) -> str:
    row = KINDS[kind]
    may = [f"(`{key}`: {row.frames})" for key in row.takes]
    return ", ".join(filter(None, (codes(row.needs), *may)))
