"""The columns of ``compare.csv``, a row each."""

from __future__ import annotations

from streamer.rundir.csv_column import Column, header
from streamer.studies import shared_columns as shared
from streamer.studies.shared_columns import MB

_RATIO = (
    "Empty for the baseline, where a p50 is withheld, with fewer than 8 rounds, and with less than 60 s of runs that "
    "did not take turns"
)
_UNSCORED = "for a `null` engine, in an interrupted comparison"

COLUMNS = (
    Column("engine", "", "its SPEC, with a number where the table has it more than once"),
    Column(
        "speed",
        "",
        "the verdict on `ratio_p50`: `baseline`, `faster`, `slower`, `no difference`, or `unavailable`",
    ),
    shared.WHY,
    Column(
        "agreement",
        "",
        "a word for `agreement_share`, unlike in `parity.csv`: `agrees` (0.9 or more), `disagrees`, or `unchecked` "
        "(the share is empty)",
    ),
    Column(
        "agreement_share",
        "0 to 1",
        "its agreement with the reference engine, as `agreement` in [parity.csv](#paritycsv); of finished runs of "
        "the same frames, with the baseline. Empty where neither found anything over 0.4, for the baseline of "
        f"finished runs, where the reference did not run, {_UNSCORED}",
    ),
    shared.PRECISION,
    shared.DEVICES,
    shared.SAME_AS,
    Column("read_ms", "ms", "time to read the model's file, before the warm-up"),
    Column("compile_ms", "ms", "time to compile the model, before the warm-up"),
    Column("first_inference_ms", "ms", "time of the first inference, before the warm-up"),
    *shared.FRAMES,
    *shared.percentiles("service", shared.SERVICE),
    *shared.percentiles("result_latency", shared.RESULT_LATENCY),
    *shared.percentiles("latency", shared.LATENCY),
    *shared.percentiles("age", shared.AGE),
    *shared.estimate(
        "median_ms",
        "ms",
        "the median result latency once more, with its interval: equal to `result_latency_p50_ms` (above 100,000 "
        "frames to 0.1 %), and empty with it",
    ),
    *shared.estimate(
        "ratio_p50",
        "",
        "the engine's median result latency divided by the baseline's: the median, over the rounds, of the ratios of "
        "the medians of a round; of runs that did not take turns, the ratio of their medians. Below 1 the engine is "
        f"faster. {_RATIO}",
    ),
    *shared.estimate(
        "ratio_p95",
        "",
        "the same for the 95th percentile: `ratio_p50`, times the ratio of the tails (the p95 of the frames, each "
        "divided by the median of its round); of runs that did not take turns, the ratio of their p95. Below 1 the "
        "engine's p95 is lower. Empty as `ratio_p50`, and where a p95 is withheld",
    ),
    Column(
        "peak_resident_mb",
        MB,
        "the most memory that the process of its run had resident; empty where the system does not report it",
    ),
    Column("cpu_ms_per_frame", "ms", "CPU time of its run, all threads and stages, per delivered frame"),
    Column(
        "offline_map50",
        "0 to 1",
        "mAP50 of the detections of each delivered frame against that frame's truth; without ground truth, against "
        "the reference's detections. Empty without an object in the truth, for finished runs, in a closed loop "
        f"without ground truth, {_UNSCORED}",
    ),
    Column(
        "streaming_map50",
        "0 to 1",
        "mAP50 of the newest detections known when each frame was due: see "
        "[streaming accuracy](../explain/streaming-accuracy.md). Empty as `offline_map50`, and in any closed loop",
    ),
    *shared.OUTCOME,
)
"""The columns of the table."""
HEADER = header(COLUMNS)
