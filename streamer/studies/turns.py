"""How the frames of a source are shared out among rounds."""

from __future__ import annotations

from fractions import Fraction

from streamer.errors import UsageError

ROUND_S = 1
"""Long enough for queues to fill, short enough for what drifts to be the same for all."""
LEAST_FRAMES = 10
"""Frames in a round, whatever the rate."""


def frames_in_a_round(rate: Fraction) -> int:
    """About a second of the camera."""
    return max(round(rate * ROUND_S), LEAST_FRAMES)


def starts_of_rounds(frames: int, rate: Fraction, source: str) -> tuple[int, ...]:
    """The frames with which rounds begin: about a second each, and an even number, so that each order comes as often.

    Raises UsageError when the frames are too few for two rounds.
    """
    in_a_round = frames_in_a_round(rate)
    if frames < 2 * in_a_round:
        raise UsageError(
            f"{source}: {frames} frames are too few for two rounds, which need {2 * in_a_round}: "
            "give a longer source, or --loop with --duration"
        )
    rounds = 2 * (frames // (2 * in_a_round))
    return tuple(number * frames // rounds for number in range(rounds))
