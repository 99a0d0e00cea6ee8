"""Code blocks of README and docs, with the comment before each that says how to run it.

``<!-- not run: why -->``, or ``<!-- file plan.toml -->`` for a block that is written into that file.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.runs import ROOT

DOCUMENTS = (
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").rglob("*.md")),
)
BLOCK = re.compile(
    r"(?:^ *<!-- (?P<comment>[^\n]*) -->\n)?^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^ *```$", re.M | re.S
)
PROMPT = "$ "


@dataclass(frozen=True, slots=True)
class Block:
    """A block: its document, its line, its language, its text, and the comment before it (empty for none)."""

    document: Path
    line: int
    language: str
    text: str
    comment: str

    @property
    def name(self) -> str:
        """For a failure, as in docs/index.md:12."""
        return f"{self.document.relative_to(ROOT).as_posix()}:{self.line}"

    @property
    def not_run(self) -> str | None:
        """Why it is not run; None for a block that is run."""
        return self.comment.partition("not run: ")[2] or None

    @property
    def file(self) -> str | None:
        """The file that it is written into; None for a block without one."""
        found = re.fullmatch(r"file ([^\s:]+)", self.comment)
        return found[1] if found else None

    def commands(self) -> Iterator[tuple[list[str], str]]:
        """Its commands, each with the output shown below it (empty in a block that shows none)."""
        text = self.text.replace("\\\n", " ")
        if self.language == "console":
            for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
                command, _, shown = part.partition("\n")
                yield shlex.split(command), shown
        else:
            for line in filter(None, map(str.strip, text.splitlines())):
                yield shlex.split(line, comments=True), ""


def blocks_of(document: Path) -> list[Block]:
    """All blocks of a document, in their order."""
    text = document.read_text(encoding="utf-8")
    return [
        Block(
            document,
            text[: found.start("text")].count("\n"),
            found["language"],
            found["text"],
            found["comment"] or "",
        )
        for found in BLOCK.finditer(text)
    ]


def without_blocks(text: str) -> str:
    """A document's prose."""
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^ *```.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL))
