"""Is one engine faster than another, and how sure is that?

Engines take turns, a round of about a second each, so that all meet the same machine. Its speed still changes between
rounds, and on one with two speeds (14 and 19 ms here) the median of a run jumps from one to the other for the sake of
a few frames. So a ratio is taken within each round, where both had nearly the same machine, and the ratio of medians
is the median of the rounds' ratios: `benchmarks/power.py` shows what that gains, and how often a difference is found.

For a ratio the bootstrap draws whole rounds. Blocks that begin anywhere would hold the end of one round and the
beginning of the next, which lie seconds apart; the halves vary less than a round does, and intervals come out too
narrow. An engine by itself, and runs that were not interleaved, are drawn in moving blocks.

All rounds of an engine are of one process, and no bootstrap over them can see how far it is from the next process of
the same engine (Mytkowicz and others, Producing Wrong Data Without Doing Anything Obviously Wrong!, 2009; Kalibera
and Jones, Rigorous Benchmarking in Reasonable Time, 2013). `between_processes` allows for that.
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
"""Whole microseconds, an entry per scheduled frame; below 0 where a frame has none because it was dropped."""

ROUNDS_NEEDED = 8
"""Of so many rounds all lean one way by chance in fewer than 1 of 100 cases (2 to the power of 1 - 8)."""
SECONDS_NEEDED = 60
"""The least length of runs that were not interleaved."""
LEAST_EFFECT = 0.02
"""The smallest difference that counts."""
PROCESS_SPREAD = 0.006
"""Standard deviation of the median of one process of an engine from that of another, as a share of it.

`benchmarks/compare.py` prints what it is on a machine at most: what varies within a process is in its figure too.
"""

MARGIN = 2
"""A study widens its intervals for so many times as many comparisons as it makes: those of few rounds are a little
narrow, and it is to be wrong in at most 1 of 100 cases, not in about 1 (`benchmarks/no_effect.py`)."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and its interval at 99 % confidence."""

    value: float
    low: float
    high: float


class Speed(StrEnum):
    """What an engine is, measured by the baseline."""

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

    ``block`` has the frames of about a second; in a run of fewer than ROUNDS_NEEDED seconds blocks are shorter.
    """
    times = _times(values)
    if len(times) < frames_needed(p):
        return None
    block = min(block, len(times) // ROUNDS_NEEDED)
    return Estimate(_percentile(times, p), *interval(_percentiles_drawn(times, p, block=block), len(times) / block))


def ratio_by_rounds(baseline: Sequence[Values], other: Sequence[Values], p: float) -> Estimate | None:
    """Percentile ``p`` of the other by that of the baseline; round r of both was measured at about the same time.

    The ratio of medians is the median of the rounds' ratios of medians. Another percentile's is that, times the ratio
    of how many times the median of its round each engine's percentile is, all rounds taken together: a tail is seen
    in whichever rounds it comes up, and a second in which the whole machine was slow is not taken for one.
    A round in which one of them detected nothing tells nothing and is left out. None when there are too few frames
    for the percentile, or fewer than ROUNDS_NEEDED rounds.
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
    """Percentile ``p`` of the other by that of the baseline, of runs at different times; each is drawn by itself.

    ``blocks`` has the frames of about a second of each. Blocks of an eighth of the run are drawn, as many as are
    needed: on a machine that keeps its speed for up to a minute, seconds that follow one another say the same again
    and again. Pairing their seconds as if they were rounds finds a difference between two runs of the same engine in
    a third of the cases, this in hardly any (`benchmarks/power.py`); it finds large differences only.
    None when one of them is shorter than SECONDS_NEEDED, or has too few frames for the percentile.
    """
    runs = (baseline, other)
    these, those = map(_times, runs)
    short = any(len(run) < SECONDS_NEEDED * block for run, block in zip(runs, blocks, strict=True))
    if short or min(len(these), len(those)) < frames_needed(p):
        return None
    # Draws that are not of the same frames come from another seed; the longer run has fewer of them.
    one, two = _percentiles_drawn(these, p, seed=2), _percentiles_drawn(those, p, seed=3)
    drawn = min(len(one), len(two))
    value = _percentile(those, p) / _percentile(these, p)
    return Estimate(value, *interval(two[:drawn] / one[:drawn], ROUNDS_NEEDED))


def between_processes(ratio: Estimate, comparisons: int = 1) -> Estimate:
    """The ratio of two engines, of which the estimate is that of two processes: with PROCESS_SPREAD in its interval.

    What each process has of its own is independent of what varies within, so the squares add, of logarithms. A study
    that makes so many ``comparisons`` is to be wrong with RISK in all, so each interval is widened for all of them
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
    """An engine's rounds: the median of each, and its frames as multiples of that."""

    def __init__(self, rounds: Sequence[Values]) -> None:
        lengths = [len(times) for times in rounds]
        self.frames = sum(lengths)
        self.medians = np.array([_percentile(times, 0.5) for times in rounds])
        self.relative = Ranked(
            np.concatenate(rounds) / np.repeat(self.medians, lengths), np.repeat(np.arange(len(rounds)), lengths)
        )


def _times(values: Values) -> Values:
    """Those of detected frames; what took less than a microsecond took one, so that it can be divided by."""
    return np.maximum(values[values >= 0], 1)


def _percentile(times: Values, p: float) -> float:
    return float(np.sort(times)[nearest_rank(len(times), p) - 1])


def _percentiles_drawn(times: Values, p: float, *, block: int | None = None, seed: int = 1) -> Numbers:
    """Percentile ``p`` of each draw of blocks, of an eighth of the run unless they are given."""
    ranked = Ranked(times.astype(np.float64), np.arange(len(times)))
    block = block or len(times) // ROUNDS_NEEDED
    return np.concatenate([ranked.percentile(counts, p) for counts in blocks_drawn(len(times), block, seed)])
