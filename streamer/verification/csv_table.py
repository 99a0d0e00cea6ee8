"""A CSV table, read in blocks of columns: it is whole, has the contract's columns, and each cell has its form."""

from __future__ import annotations

import csv
import gzip
import os
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import NoReturn

import numpy as np
import numpy.typing as npt

from streamer.verification.reasons import Unreadable
from streamer.verification.segments import numbered

BLOCK = 2_048
"""Rows read at a time: as many as the processor's caches hold. Ten times as many take twice as long."""

Array = npt.NDArray[np.int64]
NEVER = np.iinfo(np.int64).min
"""Stands for an empty cell."""


class Form:
    """The form of a column's cells: a regular expression for numbers; ``expected`` names it in messages.

    With ``empty``, a cell may be empty.
    """

    def __init__(self, number: str, expected: str, *, empty: bool = False) -> None:
        cell = f"(?:{number})?" if empty else number
        self.expected = f"{expected}, or nothing" if empty else expected
        self.cell = re.compile(cell, re.ASCII)
        self.cells = re.compile(f"(?:{cell},)*+", re.ASCII)


class Block:
    """Some rows of a table, by column. ``first`` is the number of the first row, from 1."""

    def __init__(self, name: str, first: int, columns: dict[str, tuple[str, ...]]) -> None:
        self.first = first
        self._name = name
        self._columns = columns

    def numbers(self, column: str, form: Form) -> Array:
        """A column's numbers, (rows,), without point: 1.250 is 1250. NEVER is an empty cell. Raises Unreadable."""
        cells = self._columns[column]
        # All at once: cell by cell, a million rows take half a minute.
        if not form.cells.fullmatch(",".join(cells) + ","):
            self._refuse(column, form.cell.fullmatch, form.expected)
        filled = [cell or str(NEVER) for cell in cells] if "" in cells else cells
        numbers = np.fromstring(",".join(filled).replace(".", ""), np.int64, sep=",")
        if len(numbers) != len(cells):  # a cell with a comma in it
            self._refuse(column, form.cell.fullmatch, form.expected)
        return numbers

    def codes(self, column: str, known: Mapping[str, int]) -> Array:
        """The code of each cell in ``known``, (rows,). Raises Unreadable."""
        cells = self._columns[column]
        if not known.keys() >= set(cells):
            self._refuse(column, known.__contains__, f"one of {', '.join(filter(None, known))}")
        return np.array(list(map(known.__getitem__, cells)), np.int64)

    def cells(self, column: str) -> tuple[str, ...]:
        """A column's cells as they stand in the file."""
        return self._columns[column]

    def words(self, column: str) -> set[str]:
        """The different cells of a column."""
        return set(self._columns[column])

    def _refuse(self, column: str, right: Callable[[str], object], expected: str) -> NoReturn:
        at, cell = next((at, cell) for at, cell in enumerate(self._columns[column]) if not right(cell))
        raise Unreadable(f"{self._name} row {self.first + at}, {column}: found {cell[:40]!r}, expected {expected}")


def blocks(path: Path, header: Sequence[str], *, whole: bool = True) -> Iterator[Block]:
    """The rows of the table and of its segments; without ``whole``, an incomplete last line is left out.

    Raises Unreadable when a file is missing, torn, or has other columns.
    """
    for segment in segments(path, whole=whole):
        yield from _blocks(segment, header, whole=whole)


def segments(path: Path, *, whole: bool) -> list[Path]:
    """The finished segments of a table, and then the table itself.

    A kill between two segments leaves no file after the last finished one. Without ``whole``, that is accepted.
    """
    finished = list(numbered(path).values())
    return finished if finished and not whole and not path.exists() else [*finished, path]


def _blocks(path: Path, header: Sequence[str], *, whole: bool) -> Iterator[Block]:
    packed = path.suffix == ".gz"
    newline, errors = "" if whole else "\n", None if whole else "replace"
    try:
        with (
            gzip.open(path, "rt", newline=newline, encoding="utf-8", errors=errors)
            if packed
            else path.open(newline=newline, encoding="utf-8", errors=errors)
        ) as file:
            if whole and not packed and is_torn(path):
                raise Unreadable(f"{path.name}: its last line is torn, it ends without a line break")
            reader = csv.reader(file if whole else filter(_is_line, file), strict=True)
            _check_header(path.name, next(reader, []), header)
            first = 1
            while rows := list(islice(reader, BLOCK)):
                for at, row in enumerate(rows):
                    if len(row) != len(header):
                        raise Unreadable(
                            f"{path.name} row {first + at}: found {len(row)} cells, expected {len(header)}"
                        )
                yield Block(path.name, first, dict(zip(header, zip(*rows, strict=True), strict=True)))
                first += len(rows)
    except FileNotFoundError:
        raise Unreadable(f"{path.name}: is missing") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise Unreadable(f"{path.name}: is no CSV in UTF-8: {error}") from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise Unreadable(f"{path.name}: cannot be unpacked: {error}") from error


def is_torn(path: Path) -> bool:
    """Whether the table ends without a line break."""
    with path.open("rb") as file:
        if not file.seek(0, os.SEEK_END):
            return False
        file.seek(-1, os.SEEK_END)
        return file.read() != b"\n"


def _is_line(text: str) -> bool:
    return text.endswith("\n")


def _check_header(name: str, found: Sequence[str], header: Sequence[str]) -> None:
    if list(found) != list(header):
        missing = [column for column in header if column not in found]
        trouble = f"has no {', '.join(missing)}" if missing else "are others, or in another order"
        raise Unreadable(f"{name}: its columns are not the contract's: {trouble}")
