"""The last windows of a run, which say whether it is steady."""

from __future__ import annotations

from fractions import Fraction
from statistics import median

import numpy as np

from streamer.verification import frames_csv
from streamer.verification.csv_table import NEVER
from streamer.verification.frames_csv import Rows
from streamer.verification.manifest import NAME, Document
from streamer.verification.reasons import Reasons

LAST, LONGEST_S, FEWEST = 3, 5, 5
"""The number of windows, the longest one in seconds, and the least number of frames in each."""
SECOND_US = 1_000_000
HALF_OF_THE_LAST = Fraction(500_001, 10**9)
"""With room for the last bit of a double: there are three decimals."""


def check_windows(rows: Rows, document: Document, reasons: Reasons) -> None:
    """Checks each window's frames per second, and its median of the seconds' median latencies. Raises Unreadable."""
    seconds, windows = _windows(rows)
    if document.whole("windows", "seconds") != seconds:
        found = document.whole("windows", "seconds")
        reasons.add(f"{NAME} windows.seconds: found {found}, expected {seconds} by {frames_csv.NAME}")
    for at, name in enumerate(("rate", "latency_ms")):
        found_all, expected_all = document.many("windows", name), [window[at] for window in windows]
        same = len(found_all) == len(expected_all) and all(
            isinstance(found, int | float) and abs(Fraction(found) - expected) <= HALF_OF_THE_LAST
            for found, expected in zip(found_all, expected_all, strict=True)
        )
        if not same:
            text = ", ".join(f"{float(expected):.3f}" for expected in expected_all) or "none"
            reasons.add(f"{NAME} windows.{name}: found {str(found_all)[:60]}, expected {text}")


def _windows(rows: Rows) -> tuple[int, list[tuple[Fraction, Fraction]]]:
    """The seconds in each window, and each window's rate per second and latency in milliseconds."""
    closed = rows.as_closed()
    latency = closed.elapsed("scheduled", "written")
    there = latency != NEVER
    latency = latency[there]
    # A frame counts in the second in which it was closed; seconds never go back.
    second = np.maximum.accumulate(closed["written"][there] // SECOND_US) if len(latency) else latency
    whole = int(second[-1]) if len(second) else 0
    length = min(LONGEST_S, whole // LAST)
    if length == 0:
        return 0, []
    windows = []
    for first in range(whole - LAST * length, whole, length):
        filled = [latency[second == one] for one in range(first, first + length)]
        filled = [values for values in filled if len(values)]
        frames = sum(map(len, filled))
        if frames < FEWEST:
            return length, []
        medians = [median(map(int, values)) for values in filled]
        windows.append((Fraction(frames, length), Fraction(median(medians)) / 1000))
    return length, windows
