"""The nominal frame rate of a video file, by its frames' times and by the rates that it declares."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream

from streamer.vendors import pyav
from streamer.video.packets import Packets

_FALLBACK_RATE = Fraction(25)
"""Frames per second of a file that declares nothing about time; FFmpeg's own choice."""

_GAP_S, _GAP_INTERVALS = 2, 10
"""An interval longer than so many seconds, and than so many usual ones, is a gap."""

_MOST = 0.6
"""The share of the intervals near the median from which on it is the usual interval."""

_MOST_INTERLACED = 30
"""The highest rate of interlaced video, in frames per second."""

_Ticks = np.ndarray[tuple[int, ...], np.dtype[np.int64]]


def declared_rates(container: InputContainer, stream: VideoStream, packets: Packets) -> list[Fraction]:
    """The frames per second that the file declares and FFmpeg guesses, the likelier first."""
    declared = [stream.average_rate, stream.guessed_rate, stream.base_rate]
    raw = pyav.has_no_times(container)
    if raw:  # The average is FFmpeg's guess; the stream itself may declare a rate.
        declared = [stream.codec_context.framerate, stream.guessed_rate, stream.average_rate]
    rates = [rate for one in declared if (rate := pyav.exact(one)) is not None]
    if 4 * len(packets.ticks) > 3 * packets.number:
        return rates
    # A packet holds a field: a rate of packets is a rate of fields, and so is one above that of interlaced video.
    if raw:
        return [rate if rate <= _MOST_INTERLACED else rate / 2 for rate in rates]
    return [*(rate / 2 for rate in rates), *rates]


def choose_rate(ticks: Sequence[int], time_base: Fraction, rates: Sequence[Fraction]) -> tuple[Fraction, bool]:
    """The nominal frames per second, and whether the intervals vary; ``time_base`` is in seconds.

    The rate is the first of ``rates`` that puts every frame within a tick of its time; else the mean rate, or
    `usual_rate` where the intervals vary.
    """
    if len(ticks) < 2:
        return (rates[0] if rates else _FALLBACK_RATE), False
    elapsed = np.asarray(ticks, np.int64) - ticks[0]
    # The limit keeps numerator and denominator within FFmpeg's 32 bits.
    measured = ((len(ticks) - 1) / (int(elapsed[-1]) * time_base)).limit_denominator(1_000_000)
    for rate in rates:
        if _fits(elapsed, 1 / (rate * time_base)):
            return rate, False
    # With a few ticks per frame nearly every pattern is within a tick of evenly spaced.
    close = 1 / (measured * time_base) >= 10 and _fits(elapsed, 1 / (measured * time_base))
    evenly = close or len(set(np.diff(elapsed).tolist())) == 1
    return (measured, False) if evenly else (usual_rate(ticks, time_base, rates), True)


def usual_rate(ticks: Sequence[int], time_base: Fraction, rates: Sequence[Fraction]) -> Fraction:
    """Frames per second by the usual interval: the mean of those near the median if most are, else of all but gaps.

    The nearest of ``rates`` replaces it if that is within 1 %. Without intervals it is the first of ``rates`` but for
    that of one tick a frame, which is no rate.
    """
    intervals = intervals_of(ticks)
    if not len(intervals):
        return next((rate for rate in rates if rate * time_base != 1), _FALLBACK_RATE)
    median = _median(intervals)
    usual = intervals[np.abs(intervals - median) <= max(1, median // 10)]
    if len(usual) < _MOST * len(intervals):
        usual = intervals[intervals <= gap_from(intervals, time_base)]
    period = Fraction(int(usual.sum()), len(usual)) * time_base
    nearest = min(rates, key=lambda rate: abs(1 / rate - period), default=1 / period)
    if abs(1 / nearest - period) <= period / 100:
        return nearest
    return (1 / period).limit_denominator(1_000_000)


def intervals_of(ticks: Sequence[int]) -> _Ticks:
    """The intervals between frames one after the other, in ticks, without those that are 0 or negative."""
    at = np.asarray(ticks, np.int64)
    between = at[1:] - at[:-1]
    return between[between > 0]


def gap_from(intervals: _Ticks, time_base: Fraction) -> int:
    """The longest interval that is no gap, in ticks: up to 2 s or, if that is longer, 10 times the median."""
    return max(int(_GAP_S / time_base), _GAP_INTERVALS * _median(intervals))


def rate_to_count_at(packets: Packets, time_base: Fraction, rates: Sequence[Fraction]) -> Fraction:
    """Frames per second where the times are unusable: by most of the intervals all the same, else one of ``rates``.

    A declared rate of one tick a frame is often none, and is used only where most intervals agree with it.
    """
    ticks = packets.in_order()
    usual = usual_rate(ticks, time_base, rates)
    if len(intervals := intervals_of(ticks)):
        period = _median(intervals) * time_base
        nearest = min(rates, key=lambda rate: abs(1 / rate - period), default=usual)
        if abs(1 / nearest - period) <= min(time_base / 2, period / 10):  # the rounding to ticks
            return nearest
        if np.count_nonzero(np.abs(intervals - _median(intervals)) <= 1) * 2 > len(packets.ticks):
            return (1 / period).limit_denominator(1_000_000)
    return next((rate for rate in rates if rate * time_base != 1 or rate == usual), usual)


def _median(intervals: _Ticks) -> int:
    return int(np.sort(intervals)[(len(intervals) - 1) // 2])


def _fits(elapsed: _Ticks, period: Fraction) -> bool:
    """Whether every frame is where its number puts it, but for the rounding to whole ticks."""
    numbers = np.arange(len(elapsed), dtype=np.int64)
    off = np.abs(elapsed * period.denominator - numbers * period.numerator)
    return int(off.max()) <= (0 if period.denominator == 1 else period.denominator)
