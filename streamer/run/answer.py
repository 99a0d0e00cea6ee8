"""The one sentence of plain answer that a run ends with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from streamer.stats.summary import Statistics


def plain_answer(
    frames: Mapping[str, int],
    figures: Mapping[str, Statistics],
    *,
    rates: Sequence[Fraction],
    duration_s: float,
    tail: str | None = None,
) -> str:
    """The rate sustained, the tail and what made it, and what was lost.

    ``rates`` are those of the streams, in frames a second; there are none in a closed loop.
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
    # With the policy wait nothing is ever lost: an engine that falls behind shows in late frames and a longer run.
    behind = frames["late"] > scheduled / 2 and achieved < 0.95 * sum(rates)
    if delivered == scheduled and not behind:
        return f"Sustains {_asked(rates)}: {figure}, {fate}{why}."
    return f"Does not sustain {_asked(rates)}: delivers {achieved:.1f} a second, {figure}; {fate}{why}."


def _asked(rates: Sequence[Fraction]) -> str:
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
