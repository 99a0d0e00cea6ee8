"""Frames that never were, for benchmarks of what watches a run."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from streamer.engines.null import NullEngine
from streamer.engines.spec_parser import parse_spec
from streamer.ledger.record import FrameRecord
from streamer.models.find import find_model
from streamer.run.measurements import Measurements

PERIOD_US = 33_333
BLOCK = 10_000


def all_that_watches() -> Measurements:
    """What a paced replay measures with: summary, steadiness, tail, the machine around it."""
    engine = NullEngine(parse_spec("null"), find_model(None))
    return Measurements(engine, lambda: 0, closed_loop=False, ticks_us=[None])


def synthetic_frames(n: int) -> Iterator[FrameRecord]:
    """Frames at 30 fps whose inference is lognormal about 15 ms; 2 % have none, as if dropped."""
    random = np.random.default_rng(1)
    for first in range(0, n, BLOCK):
        infer = random.lognormal(np.log(15_000), 0.3, BLOCK).astype(int).tolist()
        lost = (random.random(BLOCK) < 0.02).tolist()
        for index in range(first, min(first + BLOCK, n)):
            due = index * PERIOD_US
            record = FrameRecord(0, index, due, due, captured=due + 4)
            if not lost[index - first]:
                record.preprocess_start, record.preprocess_end = due + 200, due + 800
                record.infer_start = due + 800
                record.infer_end = due + 800 + infer[index - first]
                record.detected = record.infer_end + 500
                record.sink_start = record.detected + 50
                record.written = record.detected + 3_000
            yield record
