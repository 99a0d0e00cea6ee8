"""Units and meanings of the columns of the studies' CSV files, by their names.

Columns one behind the other that have the same unit and meaning share a line of the page.
"""

from __future__ import annotations

from collections.abc import Iterable

Meanings = dict[str, tuple[str, str]]


def _same(names: Iterable[str] | str, unit: str, meaning: str) -> Meanings:
    return dict.fromkeys(names.split() if isinstance(names, str) else names, (unit, meaning))


def _percentiles(figure: str, meaning: str) -> Meanings:
    return _same((f"{figure}_{p}_ms" for p in ("p50", "p95", "p99")), "ms", meaning)


_ENGINE = ("", "its SPEC")
_PRECISION = _same("precision devices", "", "effective, read back from the runtime")
_SAME_AS = {"same_as": ("", "the engine before it that came out as the same configuration")}
_FEW = "; empty where there are too few frames"
_OUTCOME = _same("slo verdict", "", "as in `run.json`") | {"directory": ("", "where its run directory is")}
_FRAMES = {
    "scheduled": ("frames", "frames that were due"),
    "delivered": ("frames", "frames with that outcome"),
    "dropped": ("frames", "frames with that outcome"),
    "drops_percent": ("%", "dropped frames, of those scheduled"),
}
_FIGURES = (
    _percentiles("service", f"service time: preprocess, infer and postprocess{_FEW}")
    | _percentiles("result_latency", f"from due to boxes{_FEW}")
    | _percentiles("latency", f"from due to the frame in the annotated video{_FEW}")
    | _percentiles("age", f"how old the newest detected frame was at each tick{_FEW}")
)


def _estimate(name: str, unit: str, meaning: str) -> Meanings:
    """An estimate and its interval."""
    stem, ending = (name.removesuffix("_ms"), "_ms") if name.endswith("_ms") else (name, "")
    return {
        name: (unit, meaning),
        **_same((f"{stem}_low{ending}", f"{stem}_high{ending}"), unit, "the ends of its 99 % interval"),
    }


DETECTIONS: Meanings = {
    "stream": ("", "the stream, from 0"),
    "frame": ("", "the frame's number, from 0"),
    **_same("class_id label", "", "the class by number and by name"),
    "confidence": ("0 to 1", "how sure the detector is"),
    **_same("x1 y1 x2 y2", "pixels of the source frame", "left, top, right and bottom of the box"),
}
COMPARE: Meanings = {
    "engine": ("", "its SPEC, with a number when it ran more than once"),
    "speed": ("", "`baseline`, `faster`, `slower`, `no difference`, or `unavailable`"),
    "why": ("", "why it is unavailable: it cannot run here, or failed"),
    "agreement": ("", "`agrees`, `disagrees` (under 0.9) or `unchecked` with the reference engine"),
    "agreement_share": ("0 to 1", "the agreement with the reference engine"),
    **_PRECISION,
    **_SAME_AS,
    "read_ms": ("ms", "reading the model, before the first round"),
    "compile_ms": ("ms", "compiling the model, before the first round"),
    "first_inference_ms": ("ms", "the first inference, before the first round"),
    **_FRAMES,
    **_FIGURES,
    **_estimate("median_ms", "ms", "the median result latency"),
    **_estimate("ratio_p50", "", "the p50 of the result latency, times the baseline's"),
    **_estimate("ratio_p95", "", "the p95 of the result latency, times the baseline's"),
    "peak_resident_mb": ("MB", "the most memory that its process had"),
    "cpu_ms_per_frame": ("ms", "CPU time of its process, all threads, for each delivered frame"),
    "offline_map50": ("0 to 1", "mAP50 of each frame's detections against its own truth"),
    "streaming_map50": ("0 to 1", "see [streaming accuracy](../explain/streaming-accuracy.md)"),
    **_OUTCOME,
}
PACE: Meanings = {
    "engine": _ENGINE,
    "fps": ("frames a second", "the rate asked for, or `max`"),
    "closed_loop": ("", "whether it is the closed loop, `max`"),
    "why": ("", "why it is unavailable: it cannot run here, or failed"),
    "delivered_rate": ("frames a second", "delivered frames, by the camera's time"),
    **_FRAMES,
    **_FIGURES,
    **_percentiles("infer", f"the model alone{_FEW}"),
    **_estimate("infer_median_ms", "ms", "the median time in infer"),
    **_estimate("result_latency_median_ms", "ms", "the median result latency"),
    **_estimate("idle_penalty", "", "infer's median, times the closed loop's"),
    "saturated": ("", "whether 1 % of the frames or more were dropped, or frames waited ever longer"),
    **_OUTCOME,
}
PARITY: Meanings = {
    "engine": ("", "its SPEC; the reference comes first"),
    "verdict": ("", "`reference`, `agrees`, `disagrees`, `unchecked`, or `unavailable`"),
    "why": ("", "why it is unavailable: it cannot run here, or failed"),
    **_PRECISION,
    **_SAME_AS,
    "frames": ("frames", "frames that it saw"),
    "detections": ("detections", "what it found in them from `--conf` on"),
    "compared": ("detections", "those with a confidence over 0.4, its own and the reference's"),
    "agreement": ("0 to 1", "the smaller of the two that follow"),
    "agreement_there": ("0 to 1", "the share of the reference's detections that it matches"),
    "agreement_back": ("0 to 1", "the share of its own detections that the reference matches"),
    **_same(
        "box_px_mean box_px_max",
        "pixels of the source frame",
        "of the reference's matched detections: how far the edge moved that moved most",
    ),
    **_same("confidence_mean confidence_max", "0 to 1", "of the same: the difference in confidence"),
    "objects": ("objects", "objects in the ground truth; empty without truth"),
    **_same("map50 map50_95", "0 to 1", "mean average precision; empty without truth"),
}
BENCH: Meanings = {
    "engine": ("", "its SPEC, or `benchmark_app`"),
    "why": ("", "why it is unavailable: it cannot run here, or failed"),
    "input": ("", "the numbers of each inference: `float32`, `float64`, or `uint8` with preprocessing in the graph"),
    **_PRECISION,
    **_SAME_AS,
    "inferences": ("", "how many in a row"),
    "first_inference_ms": ("ms", "the first of all, which is not among them"),
    "mean_ms": ("ms", "the mean of the whole loop"),
    **_same("p50_ms p95_ms p99_ms max_ms", "ms", "of single inferences; a percentile only where there are enough"),
    "fps": ("inferences a second", "of the whole loop"),
}
WINDOWS: Meanings = {
    "window": ("", "its number, from 0"),
    **_same("start_s end_s", "s of the soak", "its beginning and end"),
    "part": ("", "how often the soak had been resumed"),
    "scheduled": ("frames", "due in the window"),
    **_same(
        "delivered dropped decode_error source_error engine_error sink_error abandoned",
        "frames",
        "that met this outcome in the window; it may have been due in another one",
    ),
    "late": ("frames", "whose latency exceeded the deadline"),
    **_same("latency_p50_ms latency_p95_ms latency_p99_ms latency_max_ms", "ms", f"latency{_FEW}"),
    **_same("result_latency_p50_ms result_latency_p95_ms", "ms", f"result latency{_FEW}"),
    "service_p50_ms": ("ms", f"service time{_FEW}"),
    **_same("age_p50_ms age_p99_ms", "ms", f"age{_FEW}"),
    "lateness_p99_ms": ("ms", f"lateness{_FEW}"),
    "resident_mb": ("MB", "memory of streamer at the window's end"),
    **_same("open_files threads", "", "at the window's end"),
    "cpu_share": ("cores", "CPU seconds a second"),
    "frequency_mhz": ("MHz", "of the processor, where the machine tells"),
    "throttled": ("", "how often the processor was throttled, where the machine tells"),
    "children_mb": ("MB", "memory of the processes that streamer started, at the window's end"),
    "canary": ("", "`same`, `changed`, or `nothing` where nothing is found in it; empty when it was not due"),
    "canary_changed": ("boxes", "the most boxes of the canary frame that were not as before the run"),
}
