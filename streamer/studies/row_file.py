"""A study's CSV file that grows by a row as soon as an engine is done."""

from __future__ import annotations

import csv
import errno
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from streamer.errors import SinkError, UsageError
from streamer.rundir.csv_file import Reserve, Table
from streamer.rundir.rundir import RESERVE, check_out


class RowFile:
    """The file in its directory, open. Raises UsageError when it cannot be made, SinkError when the disk is full."""

    def __init__(self, path: Path, columns: str, *, overwrite: bool) -> None:
        directory = path.parent
        check_out(directory, overwrite=overwrite)
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._reserve = Reserve(directory / RESERVE, 1 << 16)
            self._table = Table(path, columns, self._reserve)
        except OSError as error:
            kind = SinkError if error.errno in (errno.ENOSPC, errno.EDQUOT) else UsageError
            raise kind(f"cannot write into {directory}: {error.strerror}; give another --out") from error

    def append(self, row: Iterable[Any]) -> None:
        """Writes a row, its values in the order of the columns; None stands for nothing."""
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow(row)
        self._table.append(line.getvalue())

    def close(self) -> None:
        """Closes the file."""
        self._table.close()
        self._reserve.release()
