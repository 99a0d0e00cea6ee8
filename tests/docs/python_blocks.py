"""The Python of the documents: its blocks, what they print, and why one is not run.

A block is run as a script. The text block right after it is its output. Each number there stands for any number of
that form, since figures differ from machine to machine. A comment in HTML right before the block says more::

    <!-- needs fastapi httpx: what is not installed skips it -->
    <!-- not run: why -->
    <!-- file app.py: the blocks after it may import it -->
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec

from tests.runs import ROOT

PAGES = ("docs/howto/library.md", "docs/howto/detector.md")
"""The documents."""
_BLOCK = re.compile(
    r"(?P<comments>(?:^<!-- [^\n]* -->\n)*)^```python\n(?P<code>.*?)^```\n(?:\n```text\n(?P<shown>.*?)^```\n)?",
    re.MULTILINE | re.DOTALL,
)
_COMMENT = re.compile(r"^<!-- (needs|not run:|file) (.*?)(?:: .*)? -->$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A block, and the line of its page on which its code begins."""

    page: str
    line: int
    code: str
    shown: str | None
    needs: list[str] = field(default_factory=list)
    not_run: str | None = None
    file: str | None = None

    @property
    def name(self) -> str:
        """As its page and line."""
        return f"{self.page}:{self.line}"

    @property
    def absent(self) -> list[str]:
        """The packages that it needs and that are not installed."""
        return [name for name in self.needs if find_spec(name) is None]


def blocks_of(page: str, text: str) -> Iterator[Block]:
    """The blocks of a document, in their order."""
    for found in _BLOCK.finditer(text):
        comments = dict(_COMMENT.findall(found["comments"]))
        assert len(comments) == found["comments"].count("\n"), f"{page}: {found['comments']} is not understood"
        yield Block(
            page=page,
            line=text.count("\n", 0, found.start("code")) + 1,
            code=found["code"],
            shown=found["shown"],
            needs=comments.get("needs", "").split(),
            not_run=comments.get("not run:"),
            file=comments.get("file"),
        )


def all_blocks() -> list[Block]:
    """Those of all pages."""
    return [block for page in PAGES for block in blocks_of(page, (ROOT / page).read_text(encoding="utf-8"))]


def prints(output: str, shown: str) -> bool:
    """Whether an output is the one that the document shows, except for figures and the width of columns."""
    return _without_figures(output) == _without_figures(shown)


def _without_figures(text: str) -> list[str]:
    return [" ".join(re.sub(r"\d+", "0", line).split()) for line in text.splitlines()]
