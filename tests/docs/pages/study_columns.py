"""Units and meanings of the columns of the studies' CSV files, by their names.

Neighbouring columns with the same unit and meaning share a line of the page.
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
_SAME_AS = {"same_as": ("", "an earlier engine with one and the same configuration")}
_FEW = "; empty where there are too few frames"
_OUTCOME = _same("slo verdict", "", "as in `run.json`") | {"directory": ("", "the path of its run directory")}
_FRAMES = {
    "scheduled": ("frames", "frames that were due"),
    "delivered": ("frames", "frames with this outcome"),
    "dropped": ("frames", "frames with this outcome"),
    "drops_percent": ("%", "share of dropped frames among scheduled frames"),
}
_FIGURES = (
    _percentiles("service", f"service time: preprocess, infer and postprocess{_FEW}")
    | _percentiles("result_latency", f"time from due to boxes{_FEW}")
    | _percentiles("latency", f"time from due to the frame in the annotated video{_FEW}")
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
    "confidence": ("0 to 1", "the detector's confidence"),
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
    "peak_resident_mb": ("MB", "the highest memory use of its process"),
    "cpu_ms_per_frame": ("ms", "CPU time of its process, all threads, per delivered frame"),
    "offline_map50": ("0 to 1", "mAP50 of each frame's detections against its own truth"),
    "streaming_map50": ("0 to 1", "see [streaming accuracy](../explain/streaming-accuracy.md)"),
    **_OUTCOME,
}
PACE: Meanings = {
    "engine": _ENGINE,
    "fps": ("frames a second", "the requested rate, or `max`"),
    "closed_loop": ("", "whether it is the closed loop, `max`"),
    "why": ("", "why it is unavailable: it cannot run here, or failed"),
    "delivered_rate": ("frames a second", "delivered frames per second of the camera's time"),
    **_FRAMES,
    **_FIGURES,
    **_percentiles("infer", f"time of the inference alone{_FEW}"),
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
    "frames": ("frames", "frames that the engine processed"),
    "detections": ("detections", "detections in these frames with a confidence of `--conf` or more"),
    "compared": ("detections", "the engine's and the reference's detections with a confidence over 0.4"),
    "agreement": ("0 to 1", "the smaller of the two shares that follow"),
    "agreement_there": ("0 to 1", "the share of the reference's detections that it matches"),
    "agreement_back": ("0 to 1", "the share of its own detections that the reference matches"),
    **_same(
        "box_px_mean box_px_max",
        "pixels of the source frame",
        "for the matched detections of the reference: how far the edge moved that moved most",
    ),
    **_same("confidence_mean confidence_max", "0 to 1", "for the same detections: the difference in confidence"),
    "objects": ("objects", "objects in the ground truth; empty without truth"),
    **_same("map50 map50_95", "0 to 1", "mean average precision; empty without truth"),
}
BENCH: Meanings = {
    "engine": ("", "its SPEC, or `benchmark_app`"),
    "why": ("", "why it is unavailable: it cannot run here, or failed"),
    "input": ("", "the type of the input: `float32`, `float64`, or `uint8` with preprocessing in the graph"),
    **_PRECISION,
    **_SAME_AS,
    "inferences": ("", "number of inferences in a row"),
    "first_inference_ms": ("ms", "the first inference, which is not counted in the others"),
    "mean_ms": ("ms", "the mean of the whole loop"),
    **_same(
        "p50_ms p95_ms p99_ms max_ms", "ms", "time of single inferences; percentiles only where there are enough"
    ),
    "fps": ("inferences a second", "rate of the whole loop"),
}
WINDOWS: Meanings = {
    "window": ("", "its number, from 0"),
    **_same("start_s end_s", "s of the soak", "its beginning and end"),
    "part": ("", "how often the soak had been resumed before"),
    "scheduled": ("frames", "frames due in the window"),
    **_same(
        "delivered dropped decode_error source_error engine_error sink_error abandoned",
        "frames",
        "frames that met this outcome in the window; a frame may have been due in an earlier window",
    ),
    "late": ("frames", "frames whose latency exceeded the deadline"),
    **_same("latency_p50_ms latency_p95_ms latency_p99_ms latency_max_ms", "ms", f"latency{_FEW}"),
    **_same("result_latency_p50_ms result_latency_p95_ms", "ms", f"result latency{_FEW}"),
    "service_p50_ms": ("ms", f"service time{_FEW}"),
    **_same("age_p50_ms age_p99_ms", "ms", f"age{_FEW}"),
    "lateness_p99_ms": ("ms", f"lateness{_FEW}"),
    "resident_mb": ("MB", "memory of streamer at the window's end"),
    **_same("open_files threads", "", "number of open files and of threads at the window's end"),
    "cpu_share": ("cores", "CPU seconds per second"),
    "frequency_mhz": ("MHz", "the processor's clock rate, where the machine reports it"),
    "throttled": ("", "how often the processor was throttled, where the machine reports it"),
    "children_mb": ("MB", "memory of the processes that streamer started, at the window's end"),
    "canary": (
        "",
        "`same`, `changed`, or `nothing` (no object in the canary frame); empty when it was not due",
    ),
    "canary_changed": (
        "boxes",
        "the largest number of boxes of the canary frame that differed from those before the run",
    ),
}
