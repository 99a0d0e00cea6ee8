"""The values of one figure: up to MOST_EXACT are kept exactly, more are counted in HdrHistogram's buckets.

Memory is bounded: a run of hours keeps a few hundred kilobytes per figure.
"""

from __future__ import annotations

from array import array

import numpy as np
import numpy.typing as npt

MOST_EXACT = 100_000
"""The number of values up to which order statistics are exact."""
SUB_BUCKETS = 2_048
"""HdrHistogram's number for three significant digits: smaller values are counted one by one, others within 0.1 %."""
MOST_US = (1 << 37) - 1
"""The largest value with a bucket of its own, 38 hours; larger ones share that bucket."""
CHUNK = 1_024

_HALF = SUB_BUCKETS // 2
_DIGITS = SUB_BUCKETS.bit_length() - 1
_BUCKETS = SUB_BUCKETS + (MOST_US.bit_length() - _DIGITS) * _HALF

Values = npt.NDArray[np.int64]
"""Whole microseconds, or buckets, (n,)."""


def bucket_of(values: Values) -> Values:
    """The bucket of each value, (n,); values are 0 or more, in microseconds."""
    capped = np.minimum(values, MOST_US)
    bits = np.frexp(capped.astype(np.float64))[1]
    shift = np.maximum(bits - _DIGITS, 0).astype(np.int64)
    bucket: Values = (capped >> shift) + shift * _HALF
    return bucket


def highest_in(bucket: Values) -> Values:
    """The highest value of each bucket, (n,), in microseconds, which HdrHistogram reports for it."""
    shift = np.maximum(bucket // _HALF - 1, 0)
    highest: Values = ((bucket - shift * _HALF + 1) << shift) - 1
    return highest


class Distribution:
    """The values of a figure in whole microseconds, 0 or more; up to ``most_exact`` are kept exactly."""

    def __init__(self, most_exact: int = MOST_EXACT) -> None:
        self._most_exact = most_exact
        self._exact: array[int] | None = array("q") if most_exact else None
        self._chunk: array[int] = array("q")
        self._counts: Values | None = None
        self._total = 0
        self.n = 0
        self.max = 0

    @property
    def exact(self) -> bool:
        """Whether order statistics are exact, and not those of buckets."""
        return self._exact is not None

    def add(self, value: int) -> None:
        """Adds a value in microseconds."""
        self.n += 1
        self._total += value
        if value > self.max:
            self.max = value
        self._chunk.append(value)
        if len(self._chunk) >= CHUNK:
            self._flush()

    @property
    def mean(self) -> float:
        """The mean in microseconds: an exact integer sum, divided once. Raises ZeroDivisionError without values."""
        return self._total / self.n

    def order_statistics(self, ranks: list[int]) -> list[int]:
        """The values at ``ranks``, counted from 1 in ascending order. Raises IndexError beyond the values."""
        self._flush()
        if self._exact is not None:
            ordered = np.sort(np.frombuffer(self._exact, np.int64))
            return [int(ordered[rank - 1]) for rank in ranks]
        return self.estimates(ranks)

    def estimates(self, ranks: list[int]) -> list[int]:
        """The same to within a bucket, in constant time. Raises IndexError without values."""
        self._flush()
        if self._counts is None:
            raise IndexError("no values")
        buckets = np.searchsorted(np.cumsum(self._counts), ranks)
        return [min(int(value), self.max) for value in highest_in(buckets)]

    def buckets(self) -> tuple[Values, Values]:
        """The highest value of each bucket that is not empty, and how many values it holds, both (buckets,)."""
        self._flush()
        counts = self._counts if self._counts is not None else np.zeros(0, np.int64)
        (filled,) = np.nonzero(counts)
        return highest_in(filled), counts[filled]

    def recent(self) -> Values:
        """The values that are kept one by one, (n,): all of them while exact, else the last few."""
        kept = self._chunk if self._exact is None else self._exact + self._chunk
        return np.frombuffer(kept, np.int64) if kept else np.zeros(0, np.int64)

    def merge(self, other: Distribution) -> None:
        """Adds the values of another distribution."""
        for one in (self, other):
            one._flush()
        self.n, self._total, self.max = self.n + other.n, self._total + other._total, max(self.max, other.max)
        if self._exact is None or other._exact is None or self.n > self._most_exact:
            self._exact = None
        else:
            self._exact.extend(other._exact)
        if other._counts is not None:
            self._counts = other._counts.copy() if self._counts is None else self._counts + other._counts

    def _flush(self) -> None:
        if not self._chunk:
            return
        # All values are counted from the start, so that none is to be converted when there are too many to keep.
        if self._counts is None:
            self._counts = np.zeros(_BUCKETS, np.int64)
        values = np.frombuffer(self._chunk, np.int64)
        np.add.at(self._counts, bucket_of(values), 1)
        if self._exact is not None and self.n <= self._most_exact:
            self._exact.extend(self._chunk)
        else:
            self._exact = None
        self._chunk = array("q")
