"""Tables as NumPy structured arrays, a field per column, which pandas and polars accept as they are."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import StringIO
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from streamer.errors import UsageError
from streamer.rundir.detections_csv import DETECTION_TYPES
from streamer.rundir.frames_csv import FRAME_TYPES
from streamer.rundir.paths import DETECTIONS, FRAMES
from streamer.rundir.written import segments_of

Rows: TypeAlias = npt.NDArray[np.void]
Columns: TypeAlias = dict[str, npt.NDArray[Any]]
CHARACTERS, ROWS = 1 << 20, 8_192
"""The characters, and the rows, that are held as text at a time."""
UNEVEN = "a row has too few columns, or too many"


def frames_array(directory: Path) -> Rows:
    """The rows of a run's ``frames.csv`` and of its segments that are there, (rows,), by stream and frame.

    Raises UsageError when they cannot be read.
    """
    return _in_order_of_frames(_read_segments(directory / FRAMES, FRAME_TYPES))


def detections_array(directory: Path) -> Rows:
    """The same for ``detections.csv``; the objects of a frame are in the order of the file."""
    return _in_order_of_frames(_read_segments(directory / DETECTIONS, DETECTION_TYPES))


def _read_segments(path: Path, types: Mapping[str, str]) -> Rows:
    return read_array([*segments_of(path), path], types)


def read_array(paths: Iterable[Path], types: Mapping[str, str]) -> Rows:
    """The rows of CSV files, one after another, (rows,), a field per column; an incomplete last line is left out.

    ``types`` has the NumPy type of each column: ``i8``, ``f8`` with NaN for an empty cell, ``?`` for 0 or 1, ``U``
    for a text, as wide as the longest. Other columns are left out.

    Raises UsageError when a file cannot be read, or lacks one of these columns.
    """
    blocks = [block for path in paths for block in _read_blocks(path, types)]
    blocks.append({name: np.zeros(0, kind) for name, kind in types.items()})
    widest = {name: max((block[name].dtype for block in blocks), key=lambda kind: kind.itemsize) for name in types}
    made = np.empty(sum(_length(block) for block in blocks), list(widest.items()))
    start = 0
    for place, block in enumerate(blocks):
        blocks[place] = {}  # so that not everything is in memory twice
        end = start + _length(block)
        for name, values in block.items():
            made[name][start:end] = values
        start = end
    return made


def _length(block: Columns) -> int:
    return len(next(iter(block.values())))


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Raises UsageError when the table at ``path``, read within the block, cannot be read."""
    try:
        yield
    except (OSError, EOFError, ValueError, LookupError, csv.Error, zlib.error) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise UsageError(f"{path} cannot be read: {why}; look at it with streamer verify {path.parent}") from error


def _read_blocks(path: Path, types: Mapping[str, str]) -> list[Columns]:
    open_it = gzip.open if path.suffix == ".gz" else open
    with reading(path):
        # Labels may hold line breaks of any kind, and be torn within a letter.
        with open_it(path, "rt", encoding="utf-8", errors="replace", newline="\n") as file:
            header = next(csv.reader(filter(_is_whole, [file.readline()])), [])
            if header and (missing := [name for name in types if name not in header]):
                raise ValueError(f"it has no {', '.join(missing)}")
            return [
                {name: _VALUES[kind](columns[header.index(name)]) for name, kind in types.items()}
                for columns in _columns(file, len(header))
            ]


def _columns(file: IO[str], width: int) -> Iterator[Sequence[Sequence[str]]]:
    """The cells of ``width`` columns, some thousand rows at a time. Raises ValueError and csv.Error."""
    while text := file.read(CHARACTERS) + file.readline():
        if '"' in text:
            yield from _quoted_columns(chain(StringIO(text, newline="\n"), file), width)
            return
        # Not row by row: a list for each row takes three times as long as all the rest.
        cells = text[: text.rfind("\n") + 1].replace("\n", ",").split(",")[:-1]
        if len(cells) != text.count("\n") * width:
            raise ValueError(UNEVEN)
        yield [cells[place::width] for place in range(width)]


def _quoted_columns(lines: Iterable[str], width: int) -> Iterator[Sequence[Sequence[str]]]:
    reader = csv.reader(filter(_is_whole, lines))
    while rows := list(islice(reader, ROWS)):
        if len(rows[-1]) != width:
            rows.pop()  # torn within a label that holds a line break
            if next(reader, None) is not None:
                raise ValueError(UNEVEN)
        yield list(zip(*rows, strict=True)) or [()] * width


def _is_whole(line: str) -> bool:
    return line.endswith("\n")


def _numbers(cells: Sequence[str]) -> npt.NDArray[Any]:
    if "" in cells:
        cells = [cell or "nan" for cell in cells]
    return np.fromiter(map(float, cells), "f8", len(cells))


_VALUES: Mapping[str, Callable[[Sequence[str]], npt.NDArray[Any]]] = {
    "i8": lambda cells: np.fromiter(map(int, cells), "i8", len(cells)),
    "f8": _numbers,
    "?": lambda cells: np.fromiter(map("1".__eq__, cells), "?", len(cells)),
    "U": lambda cells: np.array(cells, "U"),
}
"""The conversion of a column's cells to an array, by its type."""


def _in_order_of_frames(rows: Rows) -> Rows:
    """The rows by stream and frame, those of a frame in their order; the array is read-only."""
    order = np.lexsort((rows["frame"], rows["stream"]))
    if (order[1:] < order[:-1]).any():
        for name in rows.dtype.names or ():  # one column at a time, so that not everything is in memory twice
            rows[name] = rows[name][order]
    rows.flags.writeable = False
    return rows
