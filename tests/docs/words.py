"""The words that streamer does not use, and the field's words in their place: the glossary's last column.

``python -m tests.docs.words [PATH ...]`` prints each place where one of them is left.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SEARCHED = ("streamer", "tests", "benchmarks", "docs", "README.md", "CONTRIBUTING.md", "CHANGELOG.md")
KINDS = frozenset({".py", ".md"})
LEFT_OUT = frozenset({"tests/docs/words.py", "tests/docs/test_words.py", "docs/contributing/glossary.md"})
"""These have to name the words."""


@dataclass(frozen=True, slots=True)
class Word:
    """A private word, found by ``pattern``, and the field's; ``where`` finds the paths in which it is private."""

    pattern: str
    instead: str
    where: str = ""


WORDS = (
    Word("armed", "trigger"),
    Word(r"befall\w*|befell", "inject"),
    Word("apart", "isolated, distinguished"),
    Word("golden|same[ _]answers", "canary"),
    Word("gaps?", "outage", r"^streamer/(ledger|sources/(?!base|video_file))"),
    Word("piece[sd]?", "segment"),
    Word("let[ _]go", "deleted"),
    Word("in[ _]force", "effective"),
    Word("told|said", "text, formatted, stated, reported"),
    Word("asked", "requested, choice"),
    Word("taken", "usage, used, measured"),
    Word("vigil", "observer, watch"),
    Word(r"witness\w*", "contention"),
    Word(r"judg\w+", "scored, assessed"),
    Word(r"hangs?[ _]together", "autocorrelated"),
    Word("cries", "false alarms"),
    Word("displaced", "dropped"),
    Word("pictureless", "not decoded"),
    Word("pictures?", "chart", r"^streamer/(charts|studies/\w+/chart)"),
)

CONTRACT = (
    *("config_in_force", "omission_gap", "skip_gaps", "file_gaps", "longest_gap_s", "told_by", "let_go", "asked_s"),
    *("deadline_asked_ms", "cores_taken_by_others", "cores_taken_by_the_hypervisor", r"asked\.json"),
    *("CPU taken by other processes", "CPU taken by the hypervisor"),  # names in `tail.circumstances`
)
"""Names in documents and of options, which stay as they are. They are found wherever they stand."""
CONTRACT_WORDS = ("asked", "befallen", "gaps", "judged", "piece", "pieces")
"""Names in documents that are words as well: allowed where they are quoted, or a field's."""

_WORDS = "|".join(CONTRACT_WORDS)
_ALLOWED = re.compile(
    rf"\b(?:{'|'.join(CONTRACT)})\b"
    rf"|(?P<quote>[\"'`])(?:[\w.]+\.)?(?:{_WORDS})(?:\.\w+)?(?P=quote)"
    rf"|^\s+(?:{_WORDS}): "
    rf"|\.(?:{_WORDS})\b"
    rf"|\b(?:{_WORDS})="
)


@dataclass(frozen=True, slots=True)
class Use:
    """A private word in a line of a file."""

    path: str
    line: int
    found: str
    instead: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.found!r}: {self.instead}"


def uses(path: str, text: str) -> Iterator[Use]:
    """The private words in a text; ``path`` is relative to the project."""
    words = [word for word in WORDS if re.search(word.where, path)]
    found_by = re.compile("|".join(f"(?P<w{at}>{word.pattern})" for at, word in enumerate(words)), re.IGNORECASE)
    for number, line in enumerate(text.splitlines(), 1):
        # As words: `_tell_of_gap` and `FileGaps` are of three and of two.
        parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", _ALLOWED.sub(" ", line))
        for found in found_by.finditer(parted):
            before, behind = parted[: found.start()], parted[found.end() :]
            if not before[-1:].isalpha() and not behind[:1].isalpha():
                yield Use(path, number, found[0], words[int((found.lastgroup or "w0")[1:])].instead)


def files(paths: Iterable[str] = SEARCHED) -> Iterator[Path]:
    """The files in which the words are looked for."""
    for name in paths:
        top = ROOT / name
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.suffix in KINDS and str(path.relative_to(ROOT)) not in LEFT_OUT:
                yield path


def main() -> None:
    for path in files(sys.argv[1:] or SEARCHED):
        for use in uses(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")):
            print(use)


if __name__ == "__main__":
    main()
