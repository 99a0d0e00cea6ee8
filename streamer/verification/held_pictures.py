"""Pictures of a video that are no frames: they hold the one before, where a pause is too long for one sample."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from streamer.verification.frames_csv import Mask

LONGEST = 2**31 - 2
"""The longest sample in FFmpeg, in ticks."""
LEAST = 2**29
"""The shortest sample that may have been cut from a longer one, in ticks."""


def held_pictures(ticks: Sequence[int], belongs: Mask, *, torn: bool) -> Mask:
    """Which of the pictures at these ``ticks`` of the file are held, (pictures,): those between two frames that are
    further from each other than ``LONGEST``.

    ``belongs`` marks the pictures at the times of the ledger's frames. No held picture comes after the last of those,
    except in a ``torn`` file.
    """
    steps = np.diff(np.asarray(ticks, np.int64))
    held = np.zeros(len(ticks), np.bool_)
    frames = [*np.flatnonzero(belongs).tolist(), *([len(ticks)] if torn else [])]
    for before, after in pairwise(frames):
        between = steps[before:after]
        if after - before > 1 and (between >= LEAST).all() and (after == len(ticks) or between.sum() > LONGEST):
            held[before + 1 : after] = True
    return held
