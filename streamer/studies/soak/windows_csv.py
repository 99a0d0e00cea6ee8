"""The rows of ``windows.csv``, written and read back: the figures of a soak in each of its windows."""

from __future__ import annotations

import csv
import errno
import io
import os
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

from streamer.errors import SinkError, UsageError
from streamer.ledger.record import Outcome
from streamer.rundir.csv_column import Column, header
from streamer.studies.shared_columns import MB, WITHHELD, percentiles

WINDOWS = "windows.csv"


@dataclass(frozen=True, slots=True)
class WindowRow:
    """One window, a value for each of `COLUMNS`, which have their units and meanings. An empty cell is None."""

    window: int
    start_s: float
    end_s: float
    part: int
    scheduled: int
    delivered: int
    dropped: int
    decode_error: int
    source_error: int
    engine_error: int
    sink_error: int
    abandoned: int
    late: int
    latency_p50_ms: float | None
    latency_p95_ms: float | None
    latency_p99_ms: float | None
    latency_max_ms: float | None
    result_latency_p50_ms: float | None
    result_latency_p95_ms: float | None
    service_p50_ms: float | None
    age_p50_ms: float | None
    age_p99_ms: float | None
    lateness_p99_ms: float | None
    resident_mb: float
    open_files: int | None
    threads: int
    cpu_share: float
    frequency_mhz: float | None
    throttled: int
    children_mb: float
    canary: str | None
    canary_changed: int | None


_TYPES = {
    field.name: {"int": int, "float": float, "str": str}[str(field.type).split()[0]] for field in fields(WindowRow)
}
WINDOW_TYPES = {
    field.name: "U" if _TYPES[field.name] is str else "i8" if field.type == "int" else "f8"
    for field in fields(WindowRow)
}
"""The type of each column in a NumPy array; a number that may be missing is a float, for NaN."""

_OUTCOME = "frames that met this outcome in the window; a frame may have been due in an earlier one"
_TIMES = "seconds of the soak at its begin and end; the time between an interruption and `--resume` does not count"
_CLOSED = f"of the frames that met their outcome in the window; {WITHHELD}"

COLUMNS = (
    Column("window", "", "the window's number, from 0 over all parts; unlike the `windows` of `run.json`"),
    Column("start_s", "s", _TIMES),
    Column("end_s", "s", _TIMES),
    Column("part", "", "which part of the soak, from 0: how often it had been resumed; its run is in `part-N`"),
    Column("scheduled", "frames", "frames that were due in the window"),
    *(Column(outcome.value, "frames", _OUTCOME) for outcome in Outcome),
    Column("late", "frames", "frames with an outcome in the window whose latency exceeded the deadline"),
    *percentiles("latency", f"latency, {_CLOSED}"),
    Column("latency_max_ms", "ms", "the highest latency of these frames; empty without one"),
    *percentiles("result_latency", f"result latency, {_CLOSED}", ("p50", "p95")),
    *percentiles("service", f"service time, {_CLOSED}", ("p50",)),
    *percentiles("age", f"age, at the ticks in the window; empty in a closed loop, and {WITHHELD}", ("p50", "p99")),
    *percentiles("lateness", f"lateness, {_CLOSED}", ("p99",)),
    Column("resident_mb", MB, "resident memory of streamer's process at the window's end, without `children_mb`"),
    Column("open_files", "files", "open files of streamer's process at the window's end; empty where not known"),
    Column("threads", "threads", "threads of streamer's process at the window's end"),
    Column(
        "cpu_share",
        "cores",
        "CPU seconds that streamer's process used per second of the window, without its children: 1 is one busy core",
    ),
    Column(
        "frequency_mhz",
        "MHz",
        "clock rate of the processor at the window's end, the mean of its cores; empty where it is not reported",
    ),
    Column(
        "throttled",
        "times",
        "how often control groups or heat throttled the processor in the window; 0 also where it is not reported",
    ),
    Column("children_mb", MB, "resident memory of the processes that streamer has started, at the window's end"),
    Column(
        "canary",
        "",
        "`same`, `changed`, or `nothing` (the canary frame has no object); empty when it was not looked at",
    ),
    Column(
        "canary_changed",
        "boxes",
        "how many boxes of the canary frame differed from those before the part began (moved by more than 0.5 px, of "
        "another class or confidence, gone or new); the most of the looks in the window; empty as `canary`",
    ),
)
"""The columns of the table, in the order of the fields of `WindowRow`."""
WINDOW_COLUMNS = header(COLUMNS)


def begin_windows(path: Path) -> None:
    """Makes the file, with its header alone. Raises SinkError."""
    try:
        path.write_text(WINDOW_COLUMNS + "\n", encoding="utf-8")
    except OSError as error:
        raise SinkError(f"cannot write {path}: {error.strerror}") from error


def append_window(path: Path, row: WindowRow) -> None:
    """Adds a line behind the last whole one, in one write; on a full disk nothing. Raises SinkError."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(astuple(row))
    line = text.getvalue().encode()
    try:
        with path.open("r+b", buffering=0) as file:
            end = file.read().rfind(b"\n") + 1
            file.truncate(end)
            file.seek(end)
            if (file.write(line) or 0) < len(line):
                file.truncate(end)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    except OSError as error:
        raise SinkError(f"cannot write {path}: {error.strerror}") from error


def read_windows(path: Path) -> list[WindowRow]:
    """The rows of the file, without an incomplete last line. Raises UsageError for a file that is not a soak's."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = csv.reader(line for line in file if line.endswith("\n"))
            if ",".join(next(rows, [])) != WINDOW_COLUMNS:
                raise ValueError("its columns are others")
            return [_row(cells) for cells in rows]
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"{path} cannot be read: {why}; give the directory of a soak") from error


def _row(cells: Iterable[str]) -> WindowRow:
    values: dict[str, Any] = {
        name: kind(cell) if cell else None for (name, kind), cell in zip(_TYPES.items(), cells, strict=True)
    }
    return WindowRow(**values)


def lasted(seconds: float) -> str:
    """A length of time with its unit, as in 90 s, 60 min or 2.5 h."""
    if seconds < 120:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.3g} min" if seconds < 7200 else f"{seconds / 3600:.3g} h"


def clock(seconds: float) -> str:
    """An instant of a soak as hours, minutes and seconds, as in 1:01:01."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"
