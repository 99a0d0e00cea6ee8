"""Service time of the engines' tricks, interleaved, with confidence intervals, against each other and benchmark_app.

python -m benchmarks.engines [--rounds 12] [--frames 40] [--seconds 4]

YOLOv5n's COCO weights on OpenCV's vtest.avi; its INT8 form is quantized first, on that footage. In every round each
engine takes the same frames, back to back, in an order that turns round; then benchmark_app runs on the FP16 IR.
"""

from __future__ import annotations

import argparse
import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from benchmarks.common import COCO_MODEL, FOOTAGE, Report, interval, needs, own_cache
from benchmarks.service import benchmark_app
from streamer.accuracy.agreement import AgreementMeter
from streamer.detection.detections import Detections
from streamer.engines.config import precision_of
from streamer.engines.registry import unavailable
from streamer.engines.spec_parser import parse_spec
from streamer.engines.variants import VARIANTS
from streamer.models.find import find_model
from streamer.models.openvino_ir import ensure_ir
from streamer.studies.frames import ChosenFrames
from streamer.studies.offline_detector import Opened
from streamer.studies.quantize.study import quantize_model
from streamer.workers.clock import MonotonicClock

BASE = "ir-auto-shared"
REFERENCE = "onnx,precision=f32"
NOT_HERE = ("null", "ir-primed", "ir-throughput")
"""What a closed loop of one request does not show; priming has a script of its own."""


def main() -> None:
    """Measures all that can run here, prints a row each, and the verdicts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--frames", type=int, default=40)
    parser.add_argument("--seconds", type=int, default=4)
    options = parser.parse_args()
    needs(FOOTAGE, COCO_MODEL)
    report = Report()
    with tempfile.TemporaryDirectory() as scratch, own_cache(Path(scratch)):
        quantized = quantize_model(
            find_model(str(COCO_MODEL)), str(FOOTAGE), samples=300, min_agreement=0.9, advance=lambda _: None
        )
        report.say(f"quantized, agreement {quantized.after.agreement.smaller:.3f}")
        run(options, report)
    report.end()


def run(options: argparse.Namespace, report: Report) -> None:
    """The rounds, and what they come to."""
    model = find_model(str(COCO_MODEL))
    frames = list(ChosenFrames(str(FOOTAGE), options.frames))
    specs = [name for name in VARIANTS if name not in NOT_HERE and unavailable(parse_spec(name), model) is None]
    now_us = MonotonicClock().now_us
    service: dict[str, list[float]] = {name: [] for name in specs}
    theirs: list[float] = []
    found: dict[str, list[Detections]] = {}
    with ExitStack() as stack:
        opened = {name: stack.enter_context(Opened(parse_spec(name), model)) for name in (REFERENCE, *specs)}
        for name, engine in opened.items():
            found[name] = [engine.detect(frame) for frame in frames]
        for number in range(options.rounds):
            for name in specs if number % 2 else specs[::-1]:
                times = []
                opened[name].detect(frames[0])  # another's weights are in the caches
                for frame in frames:
                    start = now_us()
                    opened[name].detect(frame)
                    times.append((now_us() - start) / 1000)
                service[name].append(median(times))
            theirs.append(benchmark_app(ensure_ir(model), options.seconds))
            report.say(
                f"round {number + 1}: benchmark_app {theirs[-1]:.2f}  "
                + "  ".join(f"{name} {service[name][-1]:.2f}" for name in specs)
            )
        precision = {name: precision_of(opened[name].engine.config_in_force) for name in specs}
    report.say(f"benchmark_app: {median(theirs):.2f} ms")
    ratios = {
        name: [a / b for a, b in zip(service[name], service[BASE], strict=True)] for name in specs if name != BASE
    }
    for name in specs:
        meter = AgreementMeter()
        for exact, other in zip(found[REFERENCE], found[name], strict=True):
            meter.add(exact, other)
        low, high = interval(ratios.get(name, [1.0]))
        report.say(
            f"{name:16} {precision[name]:12} {median(service[name]):7.2f} ms  {median(ratios.get(name, [1.0])):.3f} "
            f"of {BASE} ({low:.3f} to {high:.3f})  agreement {meter.result().smaller:.3f}"
        )
    report.below("ir-graph, times ir-auto-shared: upper end of the interval", interval(ratios["ir-graph"])[1], 1.0)
    report.at_most("ir-fast, times ir-auto-shared: median", median(ratios["ir-fast"]), 0.85)
    bare = [a / b for a, b in zip(service["ir-fast"], theirs, strict=True)]
    low, high = interval(bare)
    report.say(f"ir-fast whole, times benchmark_app's bare inference: {median(bare):.3f} ({low:.3f} to {high:.3f})")
    report.at_most("ir-fast whole, times benchmark_app's bare inference: median", median(bare), 1.0)


if __name__ == "__main__":
    main()
