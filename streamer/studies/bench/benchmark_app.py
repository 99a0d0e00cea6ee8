"""OpenVINO's own ``benchmark_app``, run as a process on an IR: a figure from outside that stands beside ours."""

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
"""What the program of that name does, without the analytics that importing OpenVINO brings (see openvino_quiet)."""


@dataclass(frozen=True, slots=True)
class BenchmarkApp:
    """What it says: so many inferences, back to back; ``precision`` is the one in force, empty if not told."""

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
    """Its figures for an IR in latency mode, one synchronous inference after the other for so long. Blocks.

    Its input is random, 8 bits a number as it chooses by itself, and lies in the tensor before the clock starts.
    ``meanwhile`` is called about twice a second; what it raises ends the program.
    Raises EngineError when it is not here, fails, or says something else than expected.
    """
    options = ["-m", str(ir), "-d", device, "-hint", "latency", "-api", "sync", "-t", str(seconds)]
    try:
        # -P: a file of the user's own that is called openvino.py is not to be taken for it.
        said = run_to_end([interpreter(), "-P", "-c", QUIETLY, *options], meanwhile)
    except StreamerError as error:
        raise EngineError(f"{NAME} did not run: {error}") from error
    return read_figures(said)


def read_figures(said: str) -> BenchmarkApp:
    """The figures in what it prints. Raises EngineError when one is not there."""
    precision = re.search(r"INFERENCE_PRECISION_HINT: <Type: '(\w+)'>", said)
    return BenchmarkApp(
        count=int(_figure(said, "Count:", "iterations")),
        first_ms=_milliseconds(said, "First inference took"),
        median_ms=_milliseconds(said, "Median:"),
        average_ms=_milliseconds(said, "Average:"),
        max_ms=_milliseconds(said, "Max:"),
        fps=_figure(said, "Throughput:", "FPS"),
        precision=SHORT.get(precision[1], precision[1]) if precision else "",
    )


def _milliseconds(said: str, name: str) -> float:
    """A time, which it gives in microseconds for a model that is quick."""
    if re.search(rf"{name}\s+[\d.]+ us", said):
        return round(_figure(said, name, "us") / 1000, 6)
    return _figure(said, name, "ms")


def _figure(said: str, name: str, unit: str) -> float:
    found = re.search(rf"{name}\s+([\d.]+) {unit}", said)
    if found is None:
        raise EngineError(f"{NAME} of this OpenVINO prints no {name!r} in {unit}: leave --against out")
    return float(found[1])
