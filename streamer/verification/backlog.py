"""By how much a run fell behind: the least latency of a stretch is what a backlog adds to each of its frames."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from streamer.verification.csv_table import Array
from streamer.verification.frames_csv import Rows
from streamer.verification.manifest import RunFacts

MOST_STRETCHES, PARTS, FEWEST = 64, 16, 4
"""The most stretches of a stream, each a power of two frames long; the most and fewest parts made of them."""
SURE = 4
"""A backlog grows when the mean of its changes exceeds its standard error so many times."""
STANDING_SHARE = Fraction(1, 20)
"""A backlog that stands counts from this share of the time in which frames were due."""


def behind_us(rows: Rows, run: RunFacts) -> int | None:
    """The backlog of the stream that is furthest behind, in microseconds; None when none is behind.

    A run in rounds is assessed by its last round.
    """
    first = run.rounds[-1][0] if run.rounds else 0
    found = []
    for number in range(len(run.streams)):
        measured = rows.of("delivered") & rows.has("written") & rows.has("scheduled")
        mine = rows.where(measured & (rows.stream == number) & (rows.frame >= first))
        us = _behind(mine.frame - first, mine["scheduled"], mine.elapsed("scheduled", "written"), run.rate(number))
        if us is not None:
            found.append(us)
    return max(found, default=None)


def _behind(index: Array, due: Array, latency: Array, rate: Fraction) -> int | None:
    backlogs = _backlogs(index, latency)
    period = 1_000_000 / rate
    if not backlogs or backlogs[-1] <= period:
        return None
    halves = (backlogs, backlogs[PARTS // 2 - 1 :])
    grows = len(backlogs) == PARTS and any(map(_grows, halves))
    stands = min(backlogs[len(backlogs) // 4 :]) > period
    large = backlogs[-1] > STANDING_SHARE * int(due.max() - due.min())
    return backlogs[-1] if grows or (stands and large) else None


def _backlogs(index: Array, latency: Array) -> list[int]:
    """How far each part's least latency is above that of all parts; none when a part has no frame."""
    if not len(index):
        return []
    width = 1
    while int(index.max()) >= MOST_STRETCHES * width:
        width *= 2
    stretches = int(index.max()) // width + 1
    parts = min(PARTS, stretches)
    if parts < FEWEST:
        return []
    length = stretches // parts
    # Stretches that do not fill a part are left out at the beginning.
    part = (index // width - (stretches - parts * length)) // length
    least = [latency[part == one] for one in range(parts)]
    if not all(map(len, least)):
        return []
    return [int(values.min() - latency.min()) for values in least]


def _grows(values: list[int]) -> bool:
    changes = np.diff(np.array(values, object))
    n, total = len(changes), int(changes.sum())
    squares = int((changes * changes).sum())
    return total > 0 and total * total * (n - 1) > SURE * SURE * (n * squares - total * total)
