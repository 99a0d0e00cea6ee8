"""Finds signs in a model's outputs that it is damaged, or not what its head says.

A model that finds nothing shows no such sign: the picture may be empty.
"""

from __future__ import annotations

import numpy as np

from streamer.detection.head import Array, Floats, Head, Outputs
from streamer.detection.input_spec import Fit
from streamer.detection.postprocess import MAX_DETECTIONS, Postprocess
from streamer.detection.preprocess import geometry
from streamer.errors import ModelError

ROUNDING = 0.01
"""A sound score in 8 bits may lie outside 0 to 1 by so much."""
FEWEST_SCORES = 100
"""Fewer scores may be equal by chance."""
MOST_LEVELS, FEWEST_LEVELS = 256, 32
"""Numbers in 8 bits have at most 256 values; with fewer than 32 the step cannot be measured."""
FEWEST_NUMBERS = 1000
"""In a smaller output few values prove nothing."""
COARSE = 0.05
"""Scores in larger steps than this do not distinguish sure objects from unsure ones."""
OFF_GRID = 0.02
"""Rounding may move a number off its grid by this share of a step."""
SAMPLE = 20_000
"""The number of an output's numbers that are checked first: a sound output has many values among them."""
SURE = 0.25
"""Boxes are checked from this confidence on: less confident ones claim no object."""
MOST_OFF = 0.5
"""A larger share of boxes off the picture is no effect of its edge."""
TOO_LARGE = 2.0
"""No object is so many times wider or higher than the picture."""
SUPPRESSING_IOU = 0.5
"""The overlap at which boxes are suppressed before they are counted."""
CORNER_PX = 2.0
"""Boxes that all end within so few pixels of the upper left corner are shares of the picture."""


def signs_of_damage(head: Head, outputs: Outputs) -> list[str]:
    """Sentences about signs in the ``outputs`` of a model with ``head``, for any picture, that it is damaged."""
    return of_scores(head, outputs) or [*of_boxes(head, outputs), *of_number(head, outputs)]


def of_scores(head: Head, outputs: Outputs) -> list[str]:
    """Sentences about scores that no head has."""
    scores = head.scores(outputs)
    if not scores.size:
        return []
    low, high = float(scores.min()), float(scores.max())
    if not np.isfinite((low, high)).all():
        wrong = np.count_nonzero(~np.isfinite(scores))
        return [
            f"{wrong:,} of its {scores.size:,} scores are not finite numbers: its weights are damaged, or it needs "
            "more digits than it runs with (precision=f32)"
        ]
    step = shared_step(outputs, scores)
    if step is not None:
        return [
            f"its boxes and scores share one output that counts in steps of {step:.4g}, so that no score lies "
            f"between 0 and {step:.4g}: it was damaged when it was quantized; quantize the original again and leave "
            "its last layers in float, as streamer models quantize does"
        ]
    if low < -ROUNDING or high > 1 + ROUNDING:
        return [
            f"its scores go from {low:.4g} to {high:.4g}, and scores lie from 0 to 1: it is damaged, as by its "
            "quantization, or what it puts out is of another kind than its head says"
        ]
    # All at 0 is sound: nothing was found, and the scores are in 8 bits or padded with zeros.
    if low == high != 0 and scores.size >= FEWEST_SCORES:
        return [f"all of its {scores.size:,} scores are {low:.4g}: it is damaged, or has learnt nothing"]
    return []


def shared_step(outputs: Outputs, scores: Floats) -> float | None:
    """The quantization step that boxes and scores share in one output of 8 bits; None where they share none.

    The pixels of the boxes use all of its 256 values, so that none is left between a score of 0 and one of 1.
    """
    for output in outputs:
        if output.dtype.kind != "f" or output.size < FEWEST_NUMBERS:
            continue
        both = len(outputs) == 1 or np.may_share_memory(scores, output)
        if not both and not scores.any():
            continue
        step = next((step for step in _steps(output) if _counts_in(scores, step)), None)
        if step is not None:
            return step
    return None


def _steps(output: Array) -> tuple[float, ...]:
    """The possible quantization steps of an output; none if it has many values, or values close to each other.

    They are the least difference between values, and the least value: bf16 moves large values off their grid.
    """
    numbers = output.ravel()
    if len(np.unique(numbers[:: max(1, numbers.size // SAMPLE)])) > MOST_LEVELS:
        return ()
    values = np.unique(numbers).astype(np.float64)
    if not FEWEST_LEVELS <= len(values) <= MOST_LEVELS or not np.isfinite(values).all():
        return ()
    difference = float(np.diff(values).min())
    least = float(np.abs(values[values != 0]).min())
    return (difference, least) if min(difference, least) >= COARSE else ()


def _counts_in(scores: Floats, step: float) -> bool:
    """All scores are multiples of ``step``."""
    steps = scores / np.float32(step)
    return bool((np.abs(steps - np.round(steps)) <= OFF_GRID).all())


def of_boxes(head: Head, outputs: Outputs) -> list[str]:
    """Sentences about boxes off the picture."""
    xyxy, confidence, _ = head.decode(outputs, SURE)
    if not len(confidence) or not np.isfinite(xyxy).all():
        return []
    height, width = head.model.input_size
    limit = np.array([width, height], np.float32)
    first, last = xyxy[:, :2], xyxy[:, 2:]
    if float(np.abs(xyxy).max()) <= CORNER_PX:
        return [
            f"all of its {len(xyxy):,} boxes end within {CORNER_PX:g} pixels of the picture's first corner: it gives "
            "shares of the picture where its head has pixels, or is damaged"
        ]
    centre, size = (first + last) / 2, np.abs(last - first)
    off = ((centre < 0) | (centre > limit) | (size > TOO_LARGE * limit)).any(axis=1)
    if off.mean() <= MOST_OFF:
        return []
    return [
        f"{np.count_nonzero(off):,} of its {len(xyxy):,} boxes lie off its picture of {width}x{height}: it is "
        "damaged, or what it puts out is of another kind than its head says"
    ]


def of_number(head: Head, outputs: Outputs) -> list[str]:
    """Sentences about more objects than a picture has."""
    height, width = head.model.input_size
    place = geometry(width, height, head.model.input_size, Fit.STRETCH)
    try:
        found = Postprocess(head, SURE, SUPPRESSING_IOU)(outputs, place)
    except ModelError:
        return []  # an invalid box is an error of its own
    if len(found) < MAX_DETECTIONS:
        return []
    return [
        f"it finds {len(found)} objects in one picture, as many as are kept: unless there are so many, the numbers "
        "that go in are not those that it was trained with (models import --input sets them)"
    ]
