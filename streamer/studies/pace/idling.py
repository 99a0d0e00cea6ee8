"""Idling: whether an engine idles at a rate, what that costs, and the time in which a closed loop is busy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np

from streamer.ledger.record import Outcome
from streamer.rundir.columns import NEVER, OUTCOMES, Columns, Values
from streamer.stats.speed_ratio import MARGIN, Estimate, between_processes, ratio_by_rounds

KEEPS_UP_PERCENT = 1.0
"""The share of frames dropped from which on an engine does not keep up with a rate."""


def is_saturated(columns: Columns, rate: Fraction, requests: int, in_a_round: int) -> bool:
    """Whether frames are due faster than they are processed, so that they are dropped or wait longer and longer.

    A round has ``in_a_round`` frames, and ``requests`` are in flight at once. With a policy that waits nothing is
    dropped: then the engine is saturated when the mean service time is a frame period or more for each request, or
    when the last frame of most rounds has waited for more than a period.
    """
    dropped = np.count_nonzero(columns.outcome == OUTCOMES.index(Outcome.DROPPED))
    if 100 * dropped >= KEEPS_UP_PERCENT * len(columns):
        return bool(dropped)
    period_us = 1_000_000 / float(rate)
    served = columns.service[columns.service != NEVER]
    if len(served) and served.mean() >= requests * period_us:
        return True
    last = slice(in_a_round - 1, None, in_a_round)
    known = columns.result_latency[last] != NEVER
    waited = (columns.result_latency - columns.service)[last][known]
    return bool(len(waited)) and float(np.median(waited)) > period_us


def idle_penalties(
    back_to_back: Mapping[str, Sequence[Values]], idling: Sequence[tuple[str, Sequence[Values]]]
) -> list[Estimate | None]:
    """The median time of an inference over that back to back, for each rate at which an engine idles.

    Times in infer are in microseconds, by rounds: ``back_to_back`` by engine, and each of ``idling`` with its engine.
    None where there are too few. The intervals are widened by `between_processes`, for as many ratios as there are.
    """
    found = (ratio_by_rounds(back_to_back[engine], rounds, 0.5) for engine, rounds in idling)
    return [None if one is None else between_processes(one, MARGIN * len(idling)) for one in found]


def busy_s(columns: Columns, in_a_round: int) -> float:
    """The seconds that the rounds of a closed loop took, each from its first frame to its last result."""
    ends = columns.scheduled + np.maximum(columns.latency, 0)
    rounds = range(0, len(columns), in_a_round)
    return sum(int(ends[at : at + in_a_round].max() - columns.scheduled[at]) for at in rounds) / 1_000_000
