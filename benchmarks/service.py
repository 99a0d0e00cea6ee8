"""Service time against OpenVINO's benchmark_app, on the same IR, in turn.

python -m benchmarks.service [--rounds 5] [--seconds 6]
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.common import COCO_MODEL, FOOTAGE, Report, needs, replay, spread
from streamer.models.find import find_model
from streamer.models.openvino_ir import ensure_ir
from streamer.studies.bench import benchmark_app as benchmark


def benchmark_app(ir: Path, seconds: int) -> float:
    """Its median latency in milliseconds."""
    return benchmark.benchmark_app(ir, "AUTO", seconds).median_ms


def main() -> None:
    """Runs both in turn and prints the ratios of each round's medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=6)
    options = parser.parse_args()
    needs(FOOTAGE, COCO_MODEL)
    report = Report()
    ir = ensure_ir(find_model(str(COCO_MODEL)))
    theirs, service, infer = [], [], []
    with tempfile.TemporaryDirectory() as scratch:
        for number in range(options.rounds):
            # The order turns round from one round to the next: what drifts favours neither.
            for ours in (True, False) if number % 2 else (False, True):
                if ours:
                    run = replay(
                        *(FOOTAGE, Path(scratch) / "run", "--model", COCO_MODEL, "--engine", "ir-auto-shared"),
                        *("--fps", "max", "--video", "none"),
                    )
                    service.append(run["service_ms"]["p50"])
                    infer.append(run["infer_ms"]["p50"])
                else:
                    theirs.append(benchmark_app(ir, options.seconds))
            report.say(f"benchmark_app {theirs[-1]:.2f}  service {service[-1]:.2f}  infer {infer[-1]:.2f} ms")
    report.say(f"benchmark_app {spread(theirs)} ms")
    of_service = [a / b for a, b in zip(service, theirs, strict=True)]
    of_infer = [a / b for a, b in zip(infer, theirs, strict=True)]
    report.say(f"service/benchmark_app {spread(of_service)}   infer/benchmark_app {spread(of_infer)}")
    report.at_most("median service time, times benchmark_app's median", median(of_service), 1.25)
    report.at_most("median infer time, times benchmark_app's median", median(of_infer), 1.12)
    report.end()


if __name__ == "__main__":
    main()
