"""Mending frame times of which a few are wrong: repeated, or earlier than the time before."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

MOST_WRONG = 20
"""One in so many times may be wrong; where more are, none is trusted."""


def mended(ticks: Sequence[int]) -> tuple[list[int], list[int]] | None:
    """The ticks of frames in the order of presentation, mended so that they rise, and the wrong ones.

    The longest rising subsequence is kept. The others are spread evenly between the kept ones around them; before the
    first and after the last they go on at the interval beside them. None where too many are wrong, or two leave no
    room between them.
    """
    kept = _longest_rising(ticks)
    if len(ticks) - len(kept) > max(1, len(ticks) // MOST_WRONG) or len(kept) < 2:
        return None
    whole: list[int] = []
    interval = ticks[kept[-1]] - ticks[kept[-2]]
    first = ticks[kept[0]]
    whole += [first - (kept[0] - place) * (ticks[kept[1]] - first) for place in range(kept[0])]
    for before, after in pairwise(kept):
        steps, room = after - before, ticks[after] - ticks[before]
        if room < steps:
            return None
        whole += [ticks[before] + room * step // steps for step in range(steps)]
    whole += [ticks[kept[-1]] + step * interval for step in range(len(ticks) - kept[-1])]
    good = set(kept)
    return whole, [tick for place, tick in enumerate(ticks) if place not in good]


def _longest_rising(ticks: Sequence[int]) -> list[int]:
    """The places of a longest rising subsequence of the ticks (Schensted, 1961; by patience sorting)."""
    ends: list[int] = []  # the least tick with which a subsequence of this length ends
    places: list[int] = []  # where that tick is
    before: list[int] = []  # for each place, the one before it in its subsequence
    for place, tick in enumerate(ticks):
        length = bisect_left(ends, tick)
        before.append(places[length - 1] if length else -1)
        if length == len(ends):
            ends.append(tick)
            places.append(place)
        elif ends[length] != tick:  # the first of two equal ones stays
            ends[length], places[length] = tick, place
    row = []
    place = places[-1] if places else -1
    while place >= 0:
        row.append(place)
        place = before[place]
    return row[::-1]
