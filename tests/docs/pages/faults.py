"""docs/reference/faults.md, made of the rows of streamer/faults/kinds.py."""

from __future__ import annotations

from streamer.faults.kinds import KINDS, Row
from tests.docs.pages.markdown import MADE, codes, table

HEADING = f"""# Faults

The kinds of faults that a plan may inject with `--faults plan.toml`. [Inject faults](../howto/faults.md) shows
how to write one. {MADE}

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


def page() -> str:
    """The text of the page."""
    rows = (
        (
            *((f"`{kind}`", row.about, _keys(row)) if number == 0 else ("", "", "")),
            *(effect.case, effect.text, effect.exit_code),
        )
        for kind, row in KINDS.items()
        for number, effect in enumerate(row.effects)
    )
    heading = ("kind", "what goes wrong", "keys", "case", "ledger and video", "exit code")
    return HEADING + table(*heading, rows=rows) + KEYS


def _keys(row: Row) -> str:
    may = [f"(`{key}`: {row.frames})" for key in row.takes]
    return ", ".join(filter(None, (codes(row.needs), *may)))
