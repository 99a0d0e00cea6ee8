"""The files of a study beside its chart and its runs: a document, and its rows as a table."""

from __future__ import annotations

import csv
import errno
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from streamer.errors import SinkError, UsageError
from streamer.files.whole import making, write_whole
from streamer.rundir.csv_file import Reserve, Table
from streamer.rundir.paths import RESERVE
from streamer.rundir.rundir import check_out


def write_files(out: Path, stem: str, columns: str, rows: Sequence[Mapping[str, Any]], document: Any) -> None:
    """Writes ``<stem>.csv`` with these columns of the rows, and ``<stem>.json``. Raises SinkError."""
    table = io.StringIO()
    writer = csv.DictWriter(table, columns.split(","), extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(dict(_flat(row)) for row in rows)
    try:
        with making(out):
            write_whole(out / f"{stem}.csv", table.getvalue())
    except OSError as error:
        raise SinkError(f"cannot write into {out}: {error.strerror}") from error
    write_whole(out / f"{stem}.json", json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def _flat(row: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Flattens nested fields, with the unit last: ``service_ms.p50`` becomes ``service_p50_ms``."""
    for name, value in row.items():
        if not isinstance(value, Mapping):
            yield name, value
        elif name == "frames":
            yield from value.items()
        else:
            unit = "_ms" if name.endswith("_ms") else ""
            for key, one in value.items():
                yield f"{name.removesuffix('_ms')}{'' if key == 'value' else f'_{key}'}{unit}", one


class RowFile:
    """A table file, open for appending. Raises UsageError when it cannot be made, SinkError when the disk is full."""

    def __init__(self, path: Path, columns: str, *, overwrite: bool) -> None:
        directory = path.parent
        check_out(directory, overwrite=overwrite)
        try:
            with making(directory):
                self._reserve = Reserve(directory / RESERVE, 1 << 16)
                self._table = self._open(path, columns)
        except OSError as error:
            kind = SinkError if error.errno in (errno.ENOSPC, errno.EDQUOT) else UsageError
            raise kind(f"cannot write into {directory}: {error.strerror}; give another --out") from error

    def _open(self, path: Path, columns: str) -> Table:
        there = path.exists()
        try:
            return Table(path, columns, self._reserve)
        except BaseException:
            self._reserve.release()
            if not there:
                path.unlink(missing_ok=True)
            raise

    def append(self, row: Iterable[Any]) -> None:
        """Writes a row, its values in the order of the columns; None is an empty cell. Raises SinkError."""
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow(row)
        self._table.append(line.getvalue())

    def close(self) -> None:
        """Closes the file."""
        self._table.close()
        self._reserve.release()
