"""OpenVINO's own ``benchmark_app``, run as a process on an IR: figures of another program beside streamer's."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from streamer.engines.openvino_properties import SHORT
from streamer.errors import EngineError, StreamerError
from streamer.workers.processes import interpreter, run_to_end

NAME = "benchmark_app"
QUIETLY = (
    "import sys; sys.modules['openvino_telemetry'] = None; "
    "from openvino.tools.benchmark.main import main; sys.exit(main())"
)
"""The program of that name, without the analytics that importing OpenVINO brings (see openvino_quiet)."""


@dataclass(frozen=True, slots=True)
class BenchmarkApp:
    """Its figures of ``count`` inferences, back to back; ``precision`` is the effective one, empty if not printed.

    ``fps`` is inferences a second.
    """

    count: int
    first_ms: float
    median_ms: float
    average_ms: float
    max_ms: float
    fps: float
    precision: str


def benchmark_app(
    ir: Path, device: str, seconds: int, meanwhile: Callable[[], object] = lambda: None
) -> BenchmarkApp:
    """Its figures for an IR in latency mode, one synchronous inference after the other for ``seconds``. Blocks.

    Its input is random, 8 bits a number by its own choice, and in the tensor before the clock starts. ``meanwhile``
    is called about twice a second; an error that it raises ends the program. Raises EngineError when the program is
    not here, fails, or prints something else than expected.
    """
    options = ["-m", str(ir), "-d", device, "-hint", "latency", "-api", "sync", "-t", str(seconds)]
    try:
        # -P: else a user's file openvino.py in the current directory would be imported instead.
        printed = run_to_end([interpreter(), "-P", "-c", QUIETLY, *options], meanwhile)
    except StreamerError as error:
        raise EngineError(f"{NAME} did not run: {error}") from error
    return read_figures(printed)


def read_figures(printed: str) -> BenchmarkApp:
    """The figures in the program's output. Raises EngineError when one is missing."""
    precision = re.search(r"INFERENCE_PRECISION_HINT: <Type: '(\w+)'>", printed)
    return BenchmarkApp(
        count=int(_figure(printed, "Count:", "iterations")),
        first_ms=_milliseconds(printed, "First inference took"),
        median_ms=_milliseconds(printed, "Median:"),
        average_ms=_milliseconds(printed, "Average:"),
        max_ms=_milliseconds(printed, "Max:"),
        fps=_figure(printed, "Throughput:", "FPS"),
        precision=SHORT.get(precision[1], precision[1]) if precision else "",
    )


def _milliseconds(printed: str, name: str) -> float:
    """A time in milliseconds; the program prints microseconds for a quick model."""
    if re.search(rf"{name}\s+[\d.]+ us", printed):
        return round(_figure(printed, name, "us") / 1000, 6)
    return _figure(printed, name, "ms")


def _figure(printed: str, name: str, unit: str) -> float:
    found = re.search(rf"{name}\s+([\d.]+) {unit}", printed)
    if found is None:
        raise EngineError(f"{NAME} of this OpenVINO prints no {name!r} in {unit}: leave --against out")
    return float(found[1])
