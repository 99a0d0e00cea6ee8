"""Tables in Markdown, as all the pages that are made of the code have them."""

from __future__ import annotations

from collections.abc import Iterable

MADE = "This page is made of the code by `python -m tests.docs.reference`."


def row(*cells: str) -> str:
    """A row of a table. A bar within a cell is escaped, as within code it would end the cell too."""
    return "".join(f"| {cell.replace('|', chr(92) + '|')} " if cell else "| " for cell in cells) + "|\n"


def table(*heading: str, rows: Iterable[Iterable[str]]) -> str:
    """A table with its heading."""
    return row(*heading) + "|---" * len(heading) + "|\n" + "".join(row(*cells) for cells in rows)


def codes(names: Iterable[str]) -> str:
    """Names as code, one behind the other."""
    return ", ".join(f"`{name}`" for name in names)
