"""Pictures of a video that are no frames: each holds the one before, where a gap is too long for one sample."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from streamer.verification.frames_csv import Mask

LONGEST = 2**31 - 2
"""Ticks that FFmpeg lets a sample last."""
LEAST = 2**29
"""Ticks from which on one may be cut into several."""


def held_pictures(ticks: Sequence[int], belongs: Mask, *, torn: bool) -> Mask:
    """Which of the pictures at these ``ticks`` of the file are held: between frames that ``LONGEST`` cannot bridge.

    ``belongs`` says which come when a frame of the ledger does. Behind the last of those there is none, but in a file
    that is ``torn``.
    """
    steps = np.diff(np.asarray(ticks, np.int64))
    held = np.zeros(len(ticks), np.bool_)
    frames = [*np.flatnonzero(belongs).tolist(), *([len(ticks)] if torn else [])]
    for before, after in pairwise(frames):
        apart = steps[before:after]
        if after - before > 1 and (apart >= LEAST).all() and (after == len(ticks) or apart.sum() > LONGEST):
            held[before + 1 : after] = True
    return held
