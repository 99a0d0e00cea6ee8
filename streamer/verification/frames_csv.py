"""``frames.csv`` as arrays of whole microseconds, a row per scheduled frame."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from streamer.verification.csv_table import NEVER, Array, Block, Form, blocks

NAME = "frames.csv"
STAMPS = (
    *("captured", "preprocess_start", "preprocess_end", "infer_start", "infer_end", "detected"),
    *("sink_start", "written"),
)
"""The steps of a frame, in the order in which they happen."""
DERIVED = ("lateness", "service", "result_latency", "latency")
TIMES = ("pts", "scheduled", *STAMPS, *DERIVED)
HEADER = ("stream", "frame", *(f"{time}_ms" for time in TIMES), "outcome", "reason", "late", "detections")
OUTCOMES = ("delivered", "dropped", "decode_error", "source_error", "engine_error", "sink_error", "abandoned")
SORTED_US = 100_000
"""A frame is written at most this long before one that stands earlier in the file, in microseconds."""
Mask = npt.NDArray[np.bool_]

_NUMBER = Form(r"\d{1,9}", "a number")
_COUNT = Form(r"\d{1,9}", "a number", empty=True)
_TIME = Form(r"-?\d{1,15}\.\d{3}", "a time in milliseconds with three decimals")
_STEP = Form(r"-?\d{1,15}\.\d{3}", "a time in milliseconds with three decimals", empty=True)
_PLACES = {outcome: place for place, outcome in enumerate(OUTCOMES)}
_BITS = {"0": 0, "1": 1}


@dataclass(frozen=True, slots=True)
class Rows:
    """The ledger, sorted by stream and frame. Each array is (rows,); ``order`` is the place of each row in the file.

    ``times`` holds each time in microseconds, by its name without the unit; NEVER where empty. ``outcome`` is the
    place in OUTCOMES, ``reason`` the place in ``reasons``, ``detections`` NEVER where empty.
    """

    stream: Array
    frame: Array
    times: dict[str, Array]
    outcome: Array
    reason: Array
    reasons: tuple[str, ...]
    late: Array
    detections: Array
    order: Array

    def __len__(self) -> int:
        return len(self.frame)

    def __getitem__(self, time: str) -> Array:
        return self.times[time]

    def has(self, time: str) -> Mask:
        """The rows in which the step happened."""
        there: Mask = self.times[time] != NEVER
        return there

    def elapsed(self, start: str, end: str) -> Array:
        """Microseconds from one step to another; NEVER where one of them did not happen."""
        return np.where(self.has(start) & self.has(end), self[end] - self[start], NEVER)

    def of(self, outcome: str) -> Mask:
        """The rows of this outcome."""
        here: Mask = self.outcome == OUTCOMES.index(outcome)
        return here

    def where(self, mask: Mask | Array) -> Rows:
        """The rows chosen by a mask or by their places."""
        return Rows(
            self.stream[mask],
            self.frame[mask],
            {time: values[mask] for time, values in self.times.items()},
            self.outcome[mask],
            self.reason[mask],
            self.reasons,
            self.late[mask],
            self.detections[mask],
            self.order[mask],
        )

    def as_closed(self) -> Rows:
        """The same rows in the order in which the frames were finished, which is that of the file."""
        places = np.argsort(self.order)
        written = self["written"][places]
        there = written != NEVER
        last = np.maximum.accumulate(written[there]) if there.any() else written[there]
        if np.any(last - written[there] > SORTED_US):
            # Somebody has sorted the file: the order of `written` comes closest then.
            places = places[np.argsort(written, kind="stable")]
        return self.where(places)

    def place(self, at: int, column: str) -> str:
        """Names the place of a row and a column in the file, for messages."""
        stream = f"stream {self.stream[at]} " if self.stream.any() else ""
        return f"{NAME} {stream}frame {self.frame[at]}, {column}"


def read_rows(path: Path, *, whole: bool = True) -> Rows:
    """Reads the ledger in ``path``, sorted by stream and frame; ``whole`` as in `blocks`. Raises Unreadable."""
    reasons: dict[str, int] = {"": 0}
    parts: dict[str, list[Array]] = {column: [] for column in HEADER}
    for block in blocks(path, HEADER, whole=whole):
        for column, values in _typed(block, reasons).items():
            parts[column].append(values)
    columns = {}
    for column in HEADER:  # one after the other, so that only one is in memory twice
        columns[column] = np.concatenate([np.empty(0, np.int64), *parts.pop(column)])
    order: Array = np.lexsort((columns["frame"], columns["stream"]))
    if np.any(np.diff(order) != 1):
        columns = {column: values[order] for column, values in columns.items()}
    return Rows(
        columns["stream"],
        columns["frame"],
        {time: columns[f"{time}_ms"] for time in TIMES},
        columns["outcome"],
        columns["reason"],
        tuple(reasons),
        columns["late"],
        columns["detections"],
        order,
    )


def milliseconds(us: int) -> str:
    """Microseconds as they stand in the file; empty for NEVER."""
    return "empty" if us == NEVER else f"{'-' if us < 0 else ''}{abs(us) // 1000}.{abs(us) % 1000:03d}"


def _typed(block: Block, reasons: dict[str, int]) -> dict[str, Array]:
    """A block's columns as numbers; adds new reasons to ``reasons``."""
    for reason in block.words("reason"):
        reasons.setdefault(reason, len(reasons))
    return {
        **{column: block.numbers(column, _NUMBER) for column in ("stream", "frame")},
        **{f"{time}_ms": block.numbers(f"{time}_ms", _TIME) for time in ("pts", "scheduled")},
        **{f"{time}_ms": block.numbers(f"{time}_ms", _STEP) for time in (*STAMPS, *DERIVED)},
        "outcome": block.codes("outcome", _PLACES),
        "reason": block.codes("reason", reasons),
        "late": block.codes("late", _BITS),
        "detections": block.numbers("detections", _COUNT),
    }
