"""Clips of the synthetic street with their ground truth."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

from streamer.errors import UsageError
from streamer.files.whole import replacing
from streamer.street.marker import SCENE
from streamer.street.scene import Street, Truth, coco_truth
from streamer.video.writer import VideoWriter


def truth_path(clip: Path) -> Path:
    """The path of a clip's ground truth, beside it."""
    return clip.with_suffix(".json")


def write_sample(
    clip: Path,
    street: Street,
    frames: int,
    rate: Fraction,
    *,
    overwrite: bool = False,
    advance: Callable[[], None] = lambda: None,
) -> None:
    """Writes ``frames`` frames of ``street`` to ``clip`` (MP4, H.264), and their ground truth beside it (COCO JSON).

    ``rate`` is in frames per second. The same street, frames and rate give the same clip and ground truth. Both files
    appear when they are complete. ``advance`` is called after each frame. Raises UsageError for a name that is not an
    MP4's, or for files that exist already (without ``overwrite``), and SinkError when they cannot be written.
    """
    if clip.suffix != ".mp4":
        raise UsageError(f"{clip}: a clip is written as MP4: name it {clip.with_suffix('.mp4')}")
    targets = (clip, truth_path(clip))
    for target in targets:
        if target.exists() and not overwrite:
            raise UsageError(f"{target} exists already: choose another name, or add --overwrite")
    with replacing(clip) as video, replacing(targets[1]) as document:
        truths = _write_clip(video, street, frames, rate, advance)
        info = {**street.parameters(), "rate": str(rate), "frames": frames}
        coco = coco_truth(truths, street.width, street.height, info)
        document.write_text(json.dumps(coco, separators=(",", ":")) + "\n", encoding="utf-8")


def _write_clip(path: Path, street: Street, frames: int, rate: Fraction, advance: Callable[[], None]) -> list[Truth]:
    truths = []
    comment = f"{SCENE},seed={street.seed}"
    with VideoWriter(path, street.width, street.height, rate, 1 / rate, comment=comment) as video:
        for index in range(frames):
            image, truth = street.frame(index, float(rate))
            video.write(image, index / rate)
            truths.append(truth)
            advance()
    return truths
