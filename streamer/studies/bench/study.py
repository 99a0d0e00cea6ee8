"""The tutorial's benchmark: one image, the first inference by itself, then many in a row, for each engine.

It is the closed loop of OpenVINO's notebook "latency tricks": one engine after the other in this process, only one of
them in memory, and nothing timed but the inference. Unlike in the notebook, the inference that is timed as the first
is the engine's first.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from streamer.engines.base import Request
from streamer.engines.config import precision_of
from streamer.engines.equivalence import Sameness
from streamer.engines.spec_parser import parse_spec
from streamer.engines.variants import EngineSpec
from streamer.errors import EngineError, ModelError, UsageError
from streamer.machine.info import this_machine
from streamer.models.model import Model
from streamer.pipeline.housekeeping import garbage_frozen
from streamer.settings.option import FROM_1, option, rows_of
from streamer.stats.distribution import Distribution
from streamer.stats.percentiles import PERCENTILES
from streamer.stats.summary import Statistics, statistics
from streamer.studies.bench.input import Feed, bundled_clip, feed, read_image, stretched
from streamer.studies.bench.rows import AGAINST, Against, Benched, Timed
from streamer.studies.engine_choice import check_refinements, why_not
from streamer.studies.offline_detector import Opened
from streamer.workers.clock import MonotonicClock

BESIDE = "ir"
"""The engine beside which benchmark_app stands: it runs the same IR on the same device."""
LEAST_S, MOST_S = 2, 60
"""The limits, in seconds, of how long benchmark_app runs: as long as the engine did, within these."""
REPORT_EVERY_US = 500_000

Advance = Callable[[str, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchSettings:
    """The settings of the benchmark, with the defaults of ``streamer bench``.

    ``engines`` are parsed SPECs. Raises UsageError for what makes no sense.
    """

    engines: tuple[EngineSpec, ...]
    number: int = option(1000, "--number N", "Inferences in a row, after the first.", read=int, range=FROM_1)
    feed: Feed = option(
        Feed.FLOAT32,
        "--input",
        "What goes in: float32 everywhere, or float64 where the tutorial had it.",
        read=Feed,
    )
    against: Against | None = option(
        None,
        "--against",
        "Run OpenVINO's own program on the same IR as well, beside ir.",
        read=Against,
    )

    def __post_init__(self) -> None:
        for name, row in BENCH_OPTIONS.items():
            row.refuse(getattr(self, name))
        if self.against and parse_spec(BESIDE) not in self.engines:
            raise UsageError(f"--against {AGAINST} stands beside engine {BESIDE}: give --engine {BESIDE} as well")


BENCH_OPTIONS = rows_of(BenchSettings)
"""The rows of the options of bench alone."""


class Bench:
    """The benchmark of engines with one image and model.

    The constructor checks all that can be checked before anything runs. ``image`` is a path, None for the first frame
    of the bundled clip. Raises UsageError, SourceError and ModelError, and EngineUnavailable when none of the engines
    can run here.
    """

    def __init__(self, image: str | None, model: Model, settings: BenchSettings) -> None:
        self.model = model
        self.settings = settings
        self.engines = tuple(dict.fromkeys(settings.engines))
        self.path = image or bundled_clip()
        self.source, picture = read_image(image)
        self.machine = this_machine()
        self.started = datetime.now(UTC)
        self._picture = stretched(picture, model.input_size)
        self._sameness = Sameness()
        self._now_us = MonotonicClock().now_us
        why_not(self.engines, model)
        check_refinements(self.engines, model)

    def rows(self, advance: Advance) -> Iterator[Benched]:
        """The row of each engine as soon as it is done, and that of benchmark_app after ``ir``.

        ``advance`` is called with an engine's SPEC and the number of its inferences done, about twice a second,
        while none is timed. Raises EngineError when all engines fail.
        """
        failures = []
        for spec in self.engines:
            advance(spec.spec, 0)
            try:
                row = self._bench(spec, advance)
            except (EngineError, ModelError) as error:
                failures.append(str(error))
                row = Benched(spec.spec, spec.device, why=str(error))
            yield row
            if self.settings.against and spec.spec == BESIDE and row.timed is not None:
                advance(AGAINST, 0)
                ran_s = self.settings.number / row.timed.fps
                yield self._against(spec.device, ran_s, lambda: advance(AGAINST, 0))
        if len(failures) == len(self.engines):
            raise EngineError(f"none of the engines could run: {failures[0]}")

    def _bench(self, spec: EngineSpec, advance: Advance) -> Benched:
        with Opened(spec, self.model) as opened:
            request = opened.engine.requests[0]
            fed = feed(request, spec, self.model, self._picture, self.settings.feed)
            first, *others = self._timed(spec, request, advance)
            each = Distribution()
            for us in others:
                each.add(us)
            return Benched(
                spec=spec.spec,
                device=spec.device,
                fed=fed,
                precision=precision_of(opened.engine.config_in_force),
                devices=opened.engine.execution_devices,
                same_as=self._sameness.of(spec, self.model, opened.engine),
                # At least 1 us in all, so that the rate is finite.
                timed=Timed(first / 1000, len(others) * 1_000_000 / max(sum(others), 1), statistics(each)),
            )

    def _timed(self, spec: EngineSpec, request: Request, advance: Advance) -> array[int]:
        """The time of each inference in us. Each begins where the last one ended, as in a bare loop."""
        took = array("q")
        now_us = self._now_us
        with garbage_frozen():
            start = reported = now_us()
            for done in range(self.settings.number + 1):
                try:
                    request.infer()
                except Exception as error:  # whatever a runtime raises ends this engine
                    raise EngineError(f"it failed at inference {done + 1}: {error}") from error
                end = now_us()
                took.append(end - start)
                start = end
                if end - reported >= REPORT_EVERY_US:
                    advance(spec.spec, done)
                    start = reported = now_us()
        return took

    def _against(self, device: str, ran_s: float, meanwhile: Callable[[], None]) -> Benched:
        from streamer.models.openvino_ir import ensure_ir
        from streamer.studies.bench.benchmark_app import benchmark_app

        try:
            seconds = min(max(round(ran_s), LEAST_S), MOST_S)
            found = benchmark_app(ensure_ir(self.model), device, seconds, meanwhile)
        except EngineError as error:
            return Benched(AGAINST, device, why=str(error))
        nothing: dict[str, float | None] = dict.fromkeys(PERCENTILES)
        each = Statistics(found.count, found.average_ms, found.max_ms, nothing | {"p50": found.median_ms}, nothing)
        timed = Timed(found.first_ms, found.fps, each)
        return Benched(AGAINST, device, precision=found.precision, devices=(device,), timed=timed)
