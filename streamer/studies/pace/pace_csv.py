"""The columns of ``pace.csv``, a row each."""

from __future__ import annotations

from streamer.rundir.csv_column import Column, header
from streamer.studies import shared_columns as shared

_MEDIAN = "(above 100,000 frames to 0.1 %), and empty with it"

COLUMNS = (
    Column("engine", "", "its SPEC"),
    Column("fps", "frames a second", "the requested rate, as a fraction where it is not whole, or `max`"),
    Column("closed_loop", "", "`True` in the closed loop, `max`; else `False`"),
    shared.WHY,
    Column(
        "delivered_rate",
        "frames a second",
        "delivered frames, divided by the time that the scheduled ones span at the requested rate; in the closed "
        "loop, by the time that its rounds took",
    ),
    *shared.FRAMES,
    *shared.percentiles("service", shared.SERVICE),
    *shared.percentiles("infer", f"time in infer: the inference alone; {shared.WITHHELD}"),
    *shared.percentiles("result_latency", shared.RESULT_LATENCY),
    *shared.percentiles("latency", shared.LATENCY),
    *shared.percentiles("age", shared.AGE),
    *shared.estimate(
        "infer_median_ms",
        "ms",
        f"the median time in infer once more, with its interval: equal to `infer_p50_ms` {_MEDIAN}",
    ),
    *shared.estimate(
        "result_latency_median_ms",
        "ms",
        f"the median result latency once more, with its interval: equal to `result_latency_p50_ms` {_MEDIAN}",
    ),
    *shared.estimate(
        "idle_penalty",
        "",
        "the median time in infer at this rate divided by that in the closed loop: the median, over the rounds, of "
        "the ratios of the medians of a round. Above 1 an inference takes longer at this rate. Empty for the closed "
        "loop itself, without one in the study, where the engine is saturated, and with too few frames or rounds",
    ),
    Column(
        "saturated",
        "",
        "`True` where the engine does not keep up with the rate, else `False`, as in the closed loop. It does not "
        "keep up when 1 % of the frames or more were dropped, or the mean service time is a frame period or more "
        "(times the engine's requests), or the last frame of most rounds waited for more than a period",
    ),
    *shared.OUTCOME,
)
"""The columns of the table."""
HEADER = header(COLUMNS)
