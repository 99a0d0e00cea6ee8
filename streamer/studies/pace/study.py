"""Pace: how latency depends on the frame rate. Each engine runs at each rate, in interleaved rounds.

At low rates idling costs time: between frames caches go cold and clocks go down. At high rates queues build up.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from streamer.engines.variants import EngineSpec
from streamer.errors import UsageError
from streamer.models.model import Model
from streamer.rundir.paths import file_name
from streamer.schedule.schedule import Pace
from streamer.settings.settings import Settings
from streamer.sources.registry import open_source, refuse_live
from streamer.studies.engine_choice import check_refinements, why_not
from streamer.studies.interleave import Interleaved, Lane, Watch
from streamer.workers.clock import MonotonicClock

ROUNDS = 8
"""Rounds at each rate: an even number, so that both orders come equally often."""
LEAST_SECONDS = 4.0


DEFAULT = "ir-auto-shared"
"""The engine that is studied unless others are requested."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaceSettings:
    """The settings of the study: parsed SPECs, paces, and ``seconds`` of schedule at each pace.

    ``replay`` are the settings of each run; its engine, pace and ``out`` are set by the study. Raises UsageError for
    ``seconds`` below `LEAST_SECONDS`.
    """

    engines: tuple[EngineSpec, ...]
    rates: tuple[Pace, ...]
    seconds: float
    replay: Settings

    def __post_init__(self) -> None:
        if self.seconds < LEAST_SECONDS:
            raise UsageError(f"--duration {self.seconds:g}s: each rate needs {LEAST_SECONDS:g} s or more")


@dataclass(frozen=True, slots=True)
class At:
    """An engine at a pace, and the lane in which it runs."""

    spec: EngineSpec
    pace: Pace
    lane: Lane


class PaceStudy:
    """The study of engines on one source and model.

    The constructor checks all that can be checked before anything runs. Raises UsageError, SourceError and
    ModelError, and EngineUnavailable when none of the engines can run here.
    """

    def __init__(self, source: str, model: Model, settings: PaceSettings, out: Path) -> None:
        self.source = source
        self.model = model
        self.settings = settings
        self.out = out
        refuse_live(source)
        chosen = settings.replay.video_stream
        with closing(open_source(source, loop=True, now_us=MonotonicClock().now_us, video_stream=chosen)) as opened:
            self.info = opened.info
        self.engines = tuple(dict.fromkeys(settings.engines))
        self.why_not = why_not(self.engines, model)
        check_refinements(self.engines, model)
        self.places = [self._place(spec, pace) for spec in self.engines for pace in settings.rates]

    @property
    def lanes(self) -> list[Lane]:
        """The lanes of engines that can run and have not failed."""
        return [place.lane for place in self.places if place.lane.why is None]

    def run(self, watch: Watch) -> None:
        """Runs the lanes. An interruption keeps the rounds that are done. Raises UsageError and SourceError."""
        Interleaved(self.source, self.lanes, self.settings.seconds / ROUNDS, watch).run()

    def _place(self, spec: EngineSpec, pace: Pace) -> At:
        # A closed loop has no rate of its own: it gets as many frames as at the source's rate.
        rate = pace if isinstance(pace, Fraction) else self.info.rate
        in_a_round = max(round(rate * Fraction(self.settings.seconds) / ROUNDS), 1)
        name = f"{spec.spec} at {pace_text(pace)}"
        closed_loop = pace == "max"
        replay = replace(
            self.settings.replay,
            engine=spec.spec,
            fps=pace,
            policy=None if closed_loop else self.settings.replay.policy,
            frames=in_a_round * ROUNDS,
            loop=True,
            out=self.out / file_name(f"{spec.spec}-{pace_text(pace)}"),
        )
        starts = tuple(number * in_a_round for number in range(ROUNDS))
        return At(spec, pace, Lane(name, replay, starts, why=self.why_not.get(spec)))


def pace_text(pace: Pace) -> str:
    """A pace in words, as in 29.97 fps, or max."""
    return f"{float(pace):.5g} fps" if isinstance(pace, Fraction) else "max"
