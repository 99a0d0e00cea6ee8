"""The plain answer: the one sentence that a run ends with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from streamer.stats.summary import Statistics

CATCHING_UP = 2
"""Losses are explained by a suspension for this many times its length: the run catches up as long again."""


def plain_answer(
    frames: Mapping[str, int],
    figures: Mapping[str, Statistics],
    *,
    rates: Sequence[Fraction],
    duration_s: float,
    behind_us: int | None = None,
    still_us: int = 0,
    tail: str | None = None,
) -> str:
    """The answer: whether the rate was sustained, the tail and what made it, and what was lost.

    ``frames`` counts frames by outcome, ``figures`` has the statistics by name, in milliseconds. ``rates`` are the
    requested frames a second of each stream; empty in a closed loop. ``behind_us`` is how far a stream fell behind,
    as `Backlog` has it; None: none did. ``still_us`` is how long the process did not run: losses and a backlog that
    this explains are no fault of the engine. ``tail`` is `tail_text`.
    """
    delivered, scheduled = frames["delivered"], frames["scheduled"]
    if not delivered:
        return f"Nothing was delivered: {_losses(frames)}."
    achieved = delivered / duration_s if duration_s > 0 else 0.0
    figure = _tail(figures["latency"])
    why = "" if tail is None else f"; {tail}"
    if not rates:
        lost = f", {_losses(frames)}" if delivered < scheduled else ""
        return f"Closed loop, so not what a camera sees: {achieved:.1f} frames a second, {figure}{lost}{why}."
    fate = _losses(frames) if delivered < scheduled else "nothing dropped"
    if frames["late"]:
        fate += f", {frames['late']} late ({frames['late'] / scheduled:.1%})"
    if delivered == scheduled and behind_us is None:
        return f"Sustains {_rates_text(rates)}: {figure}, {fate}{why}."
    if behind_us is not None:
        # With the policy wait, or a long queue, nothing is lost: each frame waits longer than the one before it.
        fate += f", fell behind by {_length(behind_us)}"
    got = f"delivers {achieved:.1f} a second, {figure}; {fate}{why}."
    may_be_lost = CATCHING_UP * still_us * sum(rates) / 1_000_000
    if still_us and scheduled - delivered <= may_be_lost and (behind_us or 0) <= still_us:
        return f"Not known whether it sustains {_rates_text(rates)}, as it did not run for {_length(still_us)}: {got}"
    return f"Does not sustain {_rates_text(rates)}: {got}"


def _length(us: int) -> str:
    return f"{us / 1e6:.1f} s" if us >= 1_000_000 else f"{us / 1000:.1f} ms"


def _rates_text(rates: Sequence[Fraction]) -> str:
    if len(rates) == 1:
        return f"{float(rates[0]):.5g} fps"
    if len(set(rates)) == 1:
        return f"{len(rates)} streams of {float(rates[0]):.5g} fps"
    return f"{len(rates)} streams, {float(sum(rates)):.5g} fps in all"


def _tail(latency: Statistics) -> str:
    for name in ("p95", "p90", "p50"):
        value, upper = latency[name], latency.upper[name]
        if value is not None:
            return f"{name} {value:.1f} ms (at most {upper:.1f})"
    return f"{latency.n} frames are too few for a percentile"


def _losses(frames: Mapping[str, int]) -> str:
    scheduled = frames["scheduled"]
    names = ("dropped", "decode_error", "source_error", "engine_error", "sink_error", "abandoned")
    parts = [
        f"{frames[name]} of {scheduled} {name.replace('_', ' ')} ({frames[name] / scheduled:.1%})"
        for name in names
        if frames[name]
    ]
    return ", ".join(parts) if parts else "no frame was due"
