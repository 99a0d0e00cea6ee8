"""docs/reference/faults.md, made of the rows of streamer/faults/kinds.py and of what becomes of each."""

from __future__ import annotations

from collections.abc import Mapping

from streamer.faults.kinds import KINDS, Kind
from tests.docs.pages.markdown import MADE, codes, table

HEADING = f"""# Faults

The kinds of faults that a plan may inject with `--faults plan.toml`. [Inject faults](../howto/faults.md) tells how
to write one. {MADE}

- A fault has a `kind`, and its instant: `frame` or `at`. `stream` names the stream (0).
- *keys* are those that a fault of the kind also needs. Those in brackets may be given, and have that default.

"""
KEYS = """
| key | what it takes |
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
            "Frames that fall due meanwhile, and up to four that had been decoded ahead, are offered late"
            " and at once, and "
            "dropped as the policy says.",
            "0",
        ),
        ("longer than `--stall`", "The source is stuck. Frames that fell due are `abandoned`.", "1"),
    ),
    Kind.BURST: (("", "So many frames are held back and arrive with the last of them: they are due then.", "0"),),
    Kind.JITTER: (
        (
            "",
            "Each of so many frames arrives later, by up to `ms` (random, but the same every time). None "
            "overtakes another.",
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
            "Frames come in this size from there on, and are scaled to that of the first, as with a file "
            "or an address that "
            "changes it. A doubt says how many.",
            "0",
        ),
    ),
    Kind.END: (("", "The stream ends before that frame. Other streams go on.", "0"),),
    Kind.ENGINE_SLOW: (("", "Frames that fall due meanwhile wait, or are dropped as the policy says.", "0"),),
    Kind.ENGINE_RAISE: (("", "`engine_error`; frames that wait are `abandoned`.", "1"),),
    Kind.ENGINE_HANG: (
        (
            "",
            "`engine_error` after `--stall`, and `stalls` says where it was. Frames that fell due are "
            "dropped or `abandoned`.",
            "1",
        ),
        (
            "with `--respawn`",
            "Its process is stopped, and replaced: `engine_error`, and frames due meanwhile are dropped "
            "as the policy says.",
            "0",
        ),
    ),
    Kind.ENGINE_KILL: (
        (
            "needs `--respawn`",
            "Its process gets SIGKILL, and is replaced: as above.",
            "0; 1 when it was replaced N times before",
        ),
    ),
    Kind.ENGINE_LEAK: (
        ("", "So much more of streamer's memory is kept with each frame from there on: a soak is to find it.", "0"),
    ),
    Kind.SINK_SLOW: (
        ("", "The engine waits for the sink; frames that fall due meanwhile wait, or are dropped.", "0"),
        ("longer than `--stall`", "`sink_error`, and the sink is stuck.", "1"),
    ),
    Kind.SINK_FAIL: (("", "`sink_error`; the video ends before that frame.", "1"),),
    Kind.DISK_FULL: (
        (
            "",
            "The system says *no space left* to whoever writes: `sink_error` when it was about a frame's "
            "detections. No row is "
            "lost, but up to a second of the video.",
            "1",
        ),
    ),
    Kind.STOP: (
        (
            "",
            "streamer gets SIGSTOP, then SIGCONT. Frames are late as in a stall, and nothing is taken for"
            " stuck. A live source "
            "from which nothing was read for 6 s has an outage. An interactive shell then has streamer in"
            " the background.",
            "0",
        ),
    ),
    Kind.HOG: (("", "The latency shows what that does to it.", "0"),),
}
"""What becomes of ledger and video, and the exit code of a replay: in which case, what, and which."""


def page() -> str:
    """What is to be in the file."""
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
