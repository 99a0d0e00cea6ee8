"""A column of a CSV file: the row in the code from which the file's header and the reference are made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, its unit, and its meaning, as Markdown."""

    name: str
    unit: str
    meaning: str


@dataclass(frozen=True, slots=True)
class ArrayColumn(Column):
    """A column of a file that is also read as an array.

    ``dtype`` is the type in a NumPy array: ``f8`` has NaN for an empty cell, and ``U`` is a text.
    """

    dtype: str


def header(columns: Iterable[Column]) -> str:
    """The names of the columns, separated by commas: the first line of the file."""
    return ",".join(column.name for column in columns)
