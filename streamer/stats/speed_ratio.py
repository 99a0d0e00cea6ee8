"""Whether one engine is faster than another, and with which confidence.

Engines take turns, a round of about a second each, so that all meet the same machine. The machine's speed still
changes between rounds. On a machine with two speeds (14 and 19 ms here), a few frames decide at which of them the
median of a run lies. So a ratio is computed within each round, where both engines had nearly the same machine. The
ratio of medians is the median of the rounds' ratios. `benchmarks/power.py` shows the gain, and how often a difference
is found.

For a ratio the bootstrap draws whole rounds. Blocks that begin anywhere would hold the end of one round and the
beginning of the next, which are seconds later. Such halves vary less than a round does, and intervals would be too
narrow. An engine by itself, and runs that were not interleaved, are drawn in moving blocks.

All rounds of an engine are of one process. A bootstrap over them does not see how much the next process of the same
engine differs (Mytkowicz and others, Producing Wrong Data Without Doing Anything Obviously Wrong!, 2009; Kalibera and
Jones, Rigorous Benchmarking in Reasonable Time, 2013). `between_processes` allows for that.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from streamer.stats.bootstrap import QUANTILE, RISK, Counts, Numbers, Ranked, blocks_drawn, interval, rounds_drawn
from streamer.stats.percentiles import frames_needed, nearest_rank

Values = npt.NDArray[np.int64]
"""Whole microseconds, (scheduled frames,); below 0 for a frame without a value, as a dropped one."""

ROUNDS_NEEDED = 8
"""All of 8 rounds favour the same engine by chance in fewer than 1 of 100 cases: 2 to the power of 1 - 8."""
SECONDS_NEEDED = 60
"""The least length of runs that were not interleaved."""
LEAST_EFFECT = 0.02
"""The smallest difference that counts."""
PROCESS_SPREAD = 0.006
"""Standard deviation of the medians of an engine's processes, as a share of the median.

`benchmarks/compare.py` prints an upper bound for a machine: its figure includes what varies within a process.
"""

MARGIN = 2
"""A study widens its intervals as if it made this many times its comparisons. Intervals of few rounds are a little
narrow, and a study is to be wrong in at most 1 of 100 cases (`benchmarks/no_effect.py`)."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and its interval at 99 % confidence."""

    value: float
    low: float
    high: float


class Speed(StrEnum):
    """The verdict on an engine's speed against the baseline."""

    BASELINE = "baseline"
    FASTER = "faster"
    SLOWER = "slower"
    NO_DIFFERENCE = "no difference"
    UNAVAILABLE = "unavailable"


def speed(ratio: Estimate) -> Speed:
    """The verdict on an engine whose times are ``ratio`` times the baseline's.

    There is a difference when the whole interval lies on one side of 1, and it is at least LEAST_EFFECT.
    """
    if ratio.high < 1 and ratio.value <= 1 - LEAST_EFFECT:
        return Speed.FASTER
    if ratio.low > 1 and ratio.value >= 1 + LEAST_EFFECT:
        return Speed.SLOWER
    return Speed.NO_DIFFERENCE


def quantile_of(values: Values, p: float, block: int) -> Estimate | None:
    """Percentile ``p`` of an engine by itself, in microseconds; None when it has too few frames for it.

    ``block`` is the number of frames in about a second. In a run of fewer than ROUNDS_NEEDED seconds, blocks are
    shorter.
    """
    times = _times(values)
    if len(times) < frames_needed(p):
        return None
    block = min(block, len(times) // ROUNDS_NEEDED)
    return Estimate(_percentile(times, p), *interval(_percentiles_drawn(times, p, block=block), len(times) / block))


def ratio_by_rounds(baseline: Sequence[Values], other: Sequence[Values], p: float) -> Estimate | None:
    """Percentile ``p`` of the other over that of the baseline; round r of both was measured at about the same time.

    The ratio of medians is the median of the rounds' ratios of medians. The ratio of another percentile is that times
    the ratio of the relative tails. An engine's relative tail is the percentile of its frames, each divided by the
    median of its round, over all rounds. So a tail counts in whichever rounds it occurs, and a second in which the
    whole machine was slow does not count as a tail.
    A round in which one engine detected nothing is left out. None when there are too few frames for the percentile,
    or fewer than ROUNDS_NEEDED rounds.
    """
    pairs = [(_times(one), _times(two)) for one, two in zip(baseline, other, strict=True)]
    pairs = [(one, two) for one, two in pairs if len(one) and len(two)]
    if len(pairs) < ROUNDS_NEEDED:
        return None
    these, those = _Rounds([one for one, _ in pairs]), _Rounds([two for _, two in pairs])
    if min(these.frames, those.frames) < frames_needed(p):
        return None
    medians = Ranked(those.medians / these.medians, np.arange(len(pairs)))

    def ratio(counts: Counts) -> Numbers:
        if p == 0.5:
            return medians.middle(counts)  # half of each round's frames are at its median or below: the tails are 1
        tails = those.relative.percentile(counts, p) / these.relative.percentile(counts, p)
        return medians.middle(counts) * tails

    drawn = [ratio(counts) for counts in rounds_drawn(len(pairs), max(these.frames, those.frames))]
    whole = ratio(np.ones((1, len(pairs)), np.int32))
    return Estimate(float(whole[0]), *interval(np.concatenate(drawn), len(pairs)))


def ratio_unpaired(baseline: Values, other: Values, p: float, blocks: tuple[int, int]) -> Estimate | None:
    """Percentile ``p`` of the other over that of the baseline, for runs at different times; each is drawn by itself.

    ``blocks`` is the number of frames in about a second of each. Blocks of an eighth of the run are drawn: a machine
    keeps its speed for up to a minute, so consecutive seconds are autocorrelated. Pairing the seconds as if they were
    rounds finds a difference between two runs of the same engine in a third of the cases. This rule does so in hardly
    any (`benchmarks/power.py`); it finds large differences only.
    None when one run is shorter than SECONDS_NEEDED, or has too few frames for the percentile.
    """
    runs = (baseline, other)
    these, those = map(_times, runs)
    short = any(len(run) < SECONDS_NEEDED * block for run, block in zip(runs, blocks, strict=True))
    if short or min(len(these), len(those)) < frames_needed(p):
        return None
    # The draws of different frames use different seeds; the longer run has fewer draws.
    one, two = _percentiles_drawn(these, p, seed=2), _percentiles_drawn(those, p, seed=3)
    drawn = min(len(one), len(two))
    value = _percentile(those, p) / _percentile(these, p)
    return Estimate(value, *interval(two[:drawn] / one[:drawn], ROUNDS_NEEDED))


def between_processes(ratio: Estimate, comparisons: int = 1) -> Estimate:
    """The ratio of two engines from that of two of their processes: PROCESS_SPREAD widens the interval.

    The variation between processes is independent of that within them, so the squares of their logarithms add. A
    study of ``comparisons`` comparisons is to be wrong with RISK in all, so each interval is widened for all of them
    (Bonferroni), as for a normal distribution.
    """
    quantile = NormalDist().inv_cdf(1 - RISK / 2 / comparisons)
    spread = quantile * math.sqrt(2) * PROCESS_SPREAD

    def further(end: float) -> float:
        return math.hypot(math.log(end / ratio.value) * quantile / QUANTILE, spread)

    return Estimate(
        ratio.value, ratio.value * math.exp(-further(ratio.low)), ratio.value * math.exp(further(ratio.high))
    )


class _Rounds:
    """An engine's rounds: the median of each, in microseconds, and the frames as multiples of that."""

    def __init__(self, rounds: Sequence[Values]) -> None:
        lengths = [len(times) for times in rounds]
        self.frames = sum(lengths)
        self.medians = np.array([_percentile(times, 0.5) for times in rounds])
        self.relative = Ranked(
            np.concatenate(rounds) / np.repeat(self.medians, lengths), np.repeat(np.arange(len(rounds)), lengths)
        )


def _times(values: Values) -> Values:
    """The times of detected frames, at least 1 microsecond, so that they can be divided by."""
    return np.maximum(values[values >= 0], 1)


def _percentile(times: Values, p: float) -> float:
    return float(np.sort(times)[nearest_rank(len(times), p) - 1])


def _percentiles_drawn(times: Values, p: float, *, block: int | None = None, seed: int = 1) -> Numbers:
    """Percentile ``p`` of each draw of blocks; a block is an eighth of the run unless given."""
    ranked = Ranked(times.astype(np.float64), np.arange(len(times)))
    block = block or len(times) // ROUNDS_NEEDED
    return np.concatenate([ranked.percentile(counts, p) for counts in blocks_drawn(len(times), block, seed)])
