"""Frame times of which a few are wrong: repeated, or before the frame that was shown before them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

MOST_WRONG = 20
"""Of so many times one may be wrong: where more are, none of them is to be trusted."""


def mended(ticks: Sequence[int]) -> tuple[list[int], list[int]] | None:
    """The ticks of frames in the order in which they are shown, rising, and those that were replaced.

    The longest rising row is kept; each of the others is put evenly between the kept ones around it, at the end at
    the last interval. None where too many are wrong, or there is no room between two.
    """
    kept = _longest_rising(ticks)
    if len(ticks) - len(kept) > max(1, len(ticks) // MOST_WRONG) or len(kept) < 2:
        return None
    whole: list[int] = []
    interval = ticks[kept[-1]] - ticks[kept[-2]]
    first = ticks[kept[0]]
    # Those before the first that is kept, and after the last, go on at the interval beside them.
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
    """The places of a longest row of ticks that rises (Schensted, 1961; by patience sorting)."""
    ends: list[int] = []  # the least tick with which a row of this length ends
    places: list[int] = []  # where that tick is
    before: list[int] = []  # of each place, the one before it in its row
    for place, tick in enumerate(ticks):
        length = bisect_left(ends, tick)
        before.append(places[length - 1] if length else -1)
        if length == len(ends):
            ends.append(tick)
            places.append(place)
        elif ends[length] != tick:  # of two that are the same, the first one stays
            ends[length], places[length] = tick, place
    row = []
    place = places[-1] if places else -1
    while place >= 0:
        row.append(place)
        place = before[place]
    return row[::-1]
