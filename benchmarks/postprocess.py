"""How long postprocess takes for every head: from the outputs to boxes of the frame, with NMS where it is needed.

    python -m benchmarks.postprocess [--rounds N] [HEAD]...

50 objects of 80 classes among the predictions for 640x640, 8,400 of them where there is one for each cell, and for
640x480 where there are three (18,900); also in float16, which has to be converted. Where NMS is needed, a second time
is printed: that with four more predictions of each object.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from statistics import median

import click
import numpy as np

from benchmarks.common import Report
from benchmarks.conformance.forms import Form, forms_of
from streamer.detection.head import Head, Object
from streamer.detection.heads import HEADS
from streamer.detection.input_spec import Fit
from streamer.detection.postprocess import Postprocess
from streamer.detection.preprocess import geometry
from streamer.models.coco_names import COCO_NAMES

OBJECTS, CLASSES = 50, len(COCO_NAMES)
SIDE = 64
"""Of the squares in which an object each lies."""
ECHOES = 4
"""Predictions beside each object that see it too."""
CONFIDENCE, IOU = 0.25, 0.5
TARGET_MS = 1.0
THREE_A_CELL = "boxes+objectness+classes"


def objects(echoes: int = 0) -> list[Object]:
    """Objects that do not overlap, and so many predictions beside each that are less sure of it."""
    found = []
    for number in range(OBJECTS):
        x, y = SIDE * (number % 10) + SIDE / 2, SIDE * (number // 10) + SIDE / 2
        class_id = 1 + number % (CLASSES - 1)
        found.append(Object(x, y, 40, 30 + number % 20, 0.9 - number / 100, class_id))
    beside = range(1, 1 + echoes)
    return found + [replace(one, x=one.x + by, confidence=one.confidence * 0.9) for one in found for by in beside]


def form_of(name: str) -> Form:
    """The large form of a head."""
    size = (480, 640) if name == THREE_A_CELL else (640, 640)
    return forms_of(size, COCO_NAMES)[name]


def halves(form: Form) -> Form:
    """The same with outputs in float16."""
    outputs = (replace(port, dtype="float16" if port.dtype == "float32" else port.dtype) for port in form.outputs)
    return replace(form, outputs=tuple(outputs))


def measure(kind: type[Head], form: Form, rounds: int, echoes: int = 0) -> tuple[float, int]:
    """The median of ``rounds`` in milliseconds, and how many objects were found."""
    head = kind(form.signature, CLASSES)
    outputs = head.example(objects(echoes))
    height, width = form.input_size
    place = geometry(1920, 1080, (height, width), Fit.LETTERBOX)
    postprocess = Postprocess(head, CONFIDENCE, IOU, COCO_NAMES)
    found = len(postprocess(outputs, place))
    elapsed_s = np.empty(rounds)
    for round_ in range(rounds):
        begun = time.perf_counter()
        postprocess(outputs, place)
        elapsed_s[round_] = time.perf_counter() - begun
    return float(median(elapsed_s)) * 1000, found


@click.command()
@click.option("--rounds", type=click.IntRange(min=1), default=300, help="How often each is timed.")
@click.argument("heads", nargs=-1)
def main(rounds: int, heads: Sequence[str]) -> None:
    """Time postprocess of every head, or of those that are named."""
    report = Report()
    for name in heads or HEADS:
        for form, what in ((form_of(name), ""), (halves(form_of(name)), " in halves")):
            ms, found = measure(HEADS[name], form, rounds)
            outputs = ", ".join("x".join(str(side or "n") for side in port.shape) for port in form.outputs)
            report.at_most(f"{name}{what}, {found} found in {outputs}", ms, TARGET_MS, " ms")
            if not HEADS[name].suppressed:
                ms, _ = measure(HEADS[name], form, rounds, ECHOES)
                report.say(f"      with {ECHOES} predictions beside each: {ms:.3f} ms")
    report.end()


if __name__ == "__main__":
    main()
