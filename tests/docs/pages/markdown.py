"""Tables in Markdown for the pages that are made from the code."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

MADE = "This page is made from the code by `python -m tests.docs.reference`."
CODE_WITH_BARS = re.compile(r"`([^`]*\|[^`]*)`")


def row(*cells: str) -> str:
    """A row of a table. A bar within code is written in HTML, because dialects of Markdown differ there."""
    return "".join(f"| {CODE_WITH_BARS.sub(_in_html, cell)} " if cell else "| " for cell in cells) + "|\n"


def _in_html(code: re.Match[str]) -> str:
    return f"<code>{escape(code[1]).replace('|', '&#124;')}</code>"


def table(*heading: str, rows: Iterable[Iterable[str]]) -> str:
    """A table with its heading."""
    return row(*heading) + "|---" * len(heading) + "|\n" + "".join(row(*cells) for cells in rows)


def codes(names: Iterable[str]) -> str:
    """Names as code, separated by commas."""
    return ", ".join(f"`{name}`" for name in names)
