"""How a result shows itself in a notebook: its sentence, its table and its chart, as HTML without a script."""

from __future__ import annotations

from abc import ABC, abstractmethod
from base64 import b64encode
from collections.abc import Sequence
from html import escape
from pathlib import Path


class Shown(ABC):
    """A result that a notebook shows."""

    __slots__ = ()

    @property
    @abstractmethod
    def answer(self) -> str:
        """The sentence of plain answer."""

    @property
    @abstractmethod
    def picture(self) -> Path | None:
        """Its chart; None where none was drawn."""

    @abstractmethod
    def _rows(self) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
        """The headings of its table, and the cells of each row."""

    def _repr_html_(self) -> str:
        """What Jupyter shows of it. What is not ours is escaped."""
        headings, rows = self._rows()
        head = "".join(f"<th>{escape(heading)}</th>" for heading in headings)
        body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        return f"<p><strong>{escape(self.answer)}</strong></p>{table}{_image(self.picture)}"


def _image(picture: Path | None) -> str:
    if picture is None or not picture.is_file():
        return ""
    data = b64encode(picture.read_bytes()).decode("ascii")
    return f'<img alt="{escape(picture.name)}" src="data:image/png;base64,{data}">'
