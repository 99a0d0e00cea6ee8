"""The display of results: in a notebook HTML without a script, anywhere else a line."""

from __future__ import annotations

from abc import ABC, abstractmethod
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from streamer.stats.percentiles import PERCENTILES, frames_needed, spoken


@dataclass(frozen=True, slots=True)
class Withheld:
    """A cell without a figure; ``why`` is shown when one points at it."""

    why: str


Cell: TypeAlias = str | Withheld
BADLY = ("FAILED", "INVALID", "KILLED")
"""Verdicts that are shown before all else."""


class Shown(ABC):
    """A result that shows itself. Its dataclass has ``repr=False``, since a whole document is no line."""

    __slots__ = ()

    if TYPE_CHECKING:
        # Fields of each result. A dataclass would take a property that it inherits for the default of its field.

        @property
        def directory(self) -> Path:
            """Its directory."""

        @property
        def document(self) -> Mapping[str, Any]:
            """Its JSON document; the verdict, the error, notes and doubts are shown if it has them."""

        @property
        def interrupted(self) -> str | None:
            """The signal or cause that stopped it, as in SIGINT; None when it came to its end."""

    CHART: ClassVar[str | None] = None
    """The file name of its chart; None where there is never one."""

    @property
    def answer(self) -> str:
        """The plain answer: one sentence."""
        return str(self.document["answer"])

    @property
    def chart(self) -> Path | None:
        """The path of its chart; None when none was drawn."""
        drawn = None if self.CHART is None else self.directory / self.CHART
        return drawn if drawn is not None and drawn.is_file() else None

    @abstractmethod
    def _rows(self) -> tuple[Sequence[str], Sequence[Sequence[Cell]]]:
        """The headings of its table, and the cells of each row."""

    def _also(self) -> Sequence[str]:
        """Further lines below the answer."""
        return ()

    def _repr_html_(self) -> str:
        """The HTML that Jupyter shows. Text of others is escaped; colours and fonts are those of the theme."""
        ends = "".join(f"{as_html(end)}<br>" for end in self._ends())
        lines = [*self._also(), *(f"doubt: {doubt}" for doubt in self.document.get("doubts") or ())]
        notes = self.document.get("notes") or ()
        sentence = f"<p><strong>{ends}{as_html(self.answer)}</strong></p>{_list(lines)}"
        figures = f"{_table(*self._rows())}{_image(self.chart, self.answer)}"
        return f"<div>{sentence}{figures}{_folded(notes)}<p><code>{as_html(self.directory)}</code></p></div>"

    def __repr__(self) -> str:
        doubts = len(self.document.get("doubts") or ())
        doubted = f" ({doubts} {'doubt' if doubts == 1 else 'doubts'})" if doubts else ""
        line = " ".join(f"{self.directory}: {' '.join([*self._ends(), self.answer])}{doubted}".split())
        return f"<{type(self).__name__} {_printable(line)}>"

    def _ends(self) -> Iterator[str]:
        """How it ended, if not well: the verdict and the error, or the interruption."""
        verdict, error = self.document.get("verdict"), self.document.get("error")
        if error or verdict in BADLY:
            yield f"{verdict or 'FAILED'}{f': {error}' if error else '.'}"
        if self.interrupted is not None or verdict == "INTERRUPTED":
            yield f"INTERRUPTED{f' ({self.interrupted})' if self.interrupted else ''}."


def figure(value: float | None, statistic: str, n: int) -> Cell:
    """A statistic of ``n`` frames in milliseconds, such as p95, or the reason why it is withheld."""
    if value is not None:
        return f"{value:,.2f}"
    needed = frames_needed(PERCENTILES[statistic]) if statistic in PERCENTILES else 1
    return Withheld(f"{spoken(statistic)} needs {needed:,} frames, has {n:,}")


def as_html(text: object) -> str:
    """The text, printable and escaped."""
    return escape(_printable(str(text)))


def _printable(text: str) -> str:
    """The text with escapes for what cannot be printed: names may hold any bytes, which a kernel's message cannot."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def _list(lines: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{as_html(line)}</li>' for line in lines)}</ul>" if lines else ""


def _folded(notes: Sequence[str]) -> str:
    many = "1 note" if len(notes) == 1 else f"{len(notes)} notes"
    return f"<details><summary>{many}</summary>{_list(notes)}</details>" if notes else ""


def _table(headings: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    if not rows:
        return ""
    head = "".join(f'<th scope="col">{as_html(heading)}</th>' for heading in headings)
    body = "".join(f"<tr>{_row_head(first)}{''.join(map(_cell, others))}</tr>" for first, *others in rows)
    return (
        f'<table style="color:inherit;text-align:right"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    )


def _row_head(cell: Cell) -> str:
    return f'<th scope="row" style="text-align:left">{as_html(cell if isinstance(cell, str) else cell.why)}</th>'


def _cell(cell: Cell) -> str:
    return f'<td title="{as_html(cell.why)}">–</td>' if isinstance(cell, Withheld) else f"<td>{as_html(cell)}</td>"


def _image(chart: Path | None, answer: str) -> str:
    if chart is None or not chart.is_file():
        return ""
    data = b64encode(chart.read_bytes()).decode("ascii")
    return f'<img alt="Chart: {as_html(answer)}" style="max-width:100%" src="data:image/png;base64,{data}">'
