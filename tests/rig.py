"""The rig: the pipeline's own code in virtual time, on trio's MockClock.

Nothing here replaces streamer's code but time and threads: a worker runs its work at once and then sleeps, in virtual
time, for as long as the work would have blocked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Generic, TypeVar

import numpy as np
import trio
import trio.testing

from streamer.detection.detections import Detections
from streamer.detection.layouts.yolo import Classes
from streamer.detection.postprocess import Postprocess
from streamer.detection.preprocess import Preprocess
from streamer.engines.base import Request
from streamer.engines.null import NullEngine
from streamer.engines.spec_parser import parse_spec
from streamer.errors import EngineLost, SinkError, SourceError
from streamer.faults.engine import FaultyDetector, Means
from streamer.faults.inject import Faults
from streamer.faults.plan import plan_of
from streamer.frame import Frame
from streamer.ledger.ledger import Ledger
from streamer.ledger.outages import Outages
from streamer.ledger.record import FrameRecord
from streamer.pipeline.camera import cameras
from streamer.pipeline.canary import Canary
from streamer.pipeline.detector import Detector
from streamer.pipeline.drop_policy import Freshness, FreshnessCheck, Policy
from streamer.pipeline.engine_restart import Replacing
from streamer.pipeline.housekeeping import Chore, Step
from streamer.pipeline.pipeline import Extras, Pipeline
from streamer.pipeline.priming import Primer
from streamer.pipeline.rounds import Intermission
from streamer.pipeline.stream import Stream
from streamer.pipeline.watchdog import Watchdog
from streamer.schedule.arrivals import Arrivals
from streamer.schedule.file_gaps import FileGaps
from streamer.schedule.schedule import Limits, Pace
from streamer.sink.sink import Dropped, Result
from streamer.sources.access import TIMEOUT_S
from streamer.sources.away import AwaitedSource
from streamer.sources.base import Source, SourceInfo, Unreadable
from streamer.stats.summary import Tally
from streamer.workers.run_clock import RunTime
from streamer.workers.threads import Stage, UnderWay
from tests.detectors import model_with, signature

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(eq=False)
class VirtualWork:
    """Work of a stage that a worker is at."""

    stage: Stage
    since_us: int
    scope: trio.CancelScope = field(default_factory=lambda: trio.CancelScope(shield=True))
    error: Exception | None = None

    def stack(self) -> list[str]:
        return []

    def give_up(self, error: Exception) -> None:
        self.error = error
        self.scope.cancel()


class VirtualBegun(Generic[T_co]):
    """Work of a stage that was begun, and ends at ``ends_us``."""

    def __init__(self, time: VirtualTime, stage: Stage, work: Callable[[], T_co]) -> None:
        self._time = time
        self.stage, self.since_us = stage, time.now_us()
        self._given_up = trio.Event()
        self.error: Exception | None = None
        try:
            self._result = work()
        except Exception as error:
            self.error = error
        self._ends_us = time.unblock()

    @property
    def ended(self) -> bool:
        return self._given_up.is_set() or self._time.now_us() >= self._ends_us

    async def wait(self) -> None:
        if not self.ended:
            with trio.move_on_at(self._time.at(self._ends_us)):
                await self._given_up.wait()

    def outcome(self) -> T_co:
        if self.error is not None:
            raise self.error
        return self._result

    def stack(self) -> list[str]:
        return []

    def give_up(self, error: Exception) -> None:
        self.error = error
        self._given_up.set()


class VirtualTime:
    """Clock and Workers in virtual time."""

    def __init__(self) -> None:
        self._start = trio.current_time()
        self._blocked_us = 0
        self._under_way: list[VirtualWork] = []
        self._begun: list[VirtualBegun[Any]] = []

    def now_us(self) -> int:
        return round((trio.current_time() - self._start) * 1_000_000) + self._blocked_us

    def at(self, instant_us: int) -> float:
        """The instant as trio has it."""
        return self._start + instant_us / 1_000_000

    async def wait_until(self, instant_us: int) -> None:
        await trio.sleep_until(self.at(instant_us))

    def block(self, seconds: float) -> None:
        """Called by work: it blocks its worker for so long."""
        self._blocked_us += round(seconds * 1_000_000)

    def unblock(self) -> int:
        """When the worker that was blocked is free again."""
        end = self.now_us()
        self._blocked_us = 0
        return end

    def begin(self, work: Callable[[], T], stage: Stage) -> VirtualBegun[T]:
        self._begun = [begun for begun in self._begun if not begun.ended]
        self._begun.append(VirtualBegun(self, stage, work))
        return self._begun[-1]

    async def run(self, work: Callable[[], T], stage: Stage) -> T:
        under_way = VirtualWork(stage, self.now_us())
        try:
            done = work()
        finally:
            end = self.unblock()
        self._under_way.append(under_way)
        with under_way.scope:
            await self.wait_until(end)
        self._under_way.remove(under_way)
        if under_way.error is not None:
            raise under_way.error
        # At equal instants arrivals come before completions.
        await trio.lowlevel.checkpoint()
        return done

    def under_way(self) -> Sequence[UnderWay]:
        return [*self._under_way, *(begun for begun in self._begun if not begun.ended)]

    def give_up(self, work: UnderWay, error: Exception) -> None:
        assert isinstance(work, VirtualWork | VirtualBegun)
        work.give_up(error)


FOR_EVER_S = 1_000_000.0

TINY = model_with(Classes, signature((1, 84, 21), size=(32, 32)), [f"class_{i}" for i in range(80)])


@dataclass(frozen=True)
class VirtualJob:
    """What was done between frames, ``aside`` on a thread; so many frames were being measured when it began."""

    began: int
    ended: int
    aside: bool
    measured: int


@dataclass
class VirtualSource:
    """Frames of a pixel each, at ``rate``; decoding takes ``decode_s``.

    ``broken`` ones cannot be decoded, and ``hangs_at`` never is.
    """

    frames: int
    rate: Fraction
    time: VirtualTime
    decode_s: float = 0
    broken: frozenset[int] = frozenset()
    hangs_at: int | None = None
    gaps: FileGaps | None = None
    doubts: list[str] = field(default_factory=list)
    _next: int = 0

    @property
    def info(self) -> SourceInfo:
        base = Fraction(1, 90_000)
        return SourceInfo("virtual", 1, 1, self.rate, self.frames, base, "", gaps=self.gaps)

    def read(self) -> Frame | Unreadable | None:
        if self._next >= self.frames:
            return None
        index, self._next = self._next, self._next + 1
        self.time.block(FOR_EVER_S if index == self.hangs_at else self.decode_s)
        if index in self.broken:
            return Unreadable(0, index, self._pts(index), "broken")
        return Frame(0, index, self._pts(index), np.zeros((1, 1, 3), np.uint8))

    def pts(self, index: int) -> Fraction | None:
        return self._pts(index) if index < self.frames else None

    def _pts(self, index: int) -> Fraction:
        excess_us = 0 if self.gaps is None else self.gaps.excess_us(index)
        return index / self.rate + Fraction(excess_us, 1_000_000)

    def close(self) -> None:
        pass


@dataclass
class VirtualCamera:
    """A live source, that comes at ``rate`` by its own account.

    Each read of the ``script`` blocks for so many seconds, and then gives a "frame", a "broken" one, a "stale" one,
    whose own time is right behind the one before, a "regular" one, whose own time is a period behind it, or the
    "end", or fails with this text; after the last one nothing comes any more.
    """

    script: Sequence[tuple[float, str]]
    rate: Fraction
    time: VirtualTime
    timeout_s: float = TIMEOUT_S
    doubts: list[str] = field(default_factory=list)
    _reads: int = 0
    _next: int = 0
    _pts: Fraction = Fraction(-1)

    @property
    def info(self) -> SourceInfo:
        base = Fraction(1, 1_000_000)
        return SourceInfo("virtual", 1, 1, self.rate, None, base, "", live=True, timeout_s=self.timeout_s)

    def read(self) -> Frame | Unreadable | None:
        seconds, what = (FOR_EVER_S, "end") if self._reads >= len(self.script) else self.script[self._reads]
        self._reads += 1
        self.time.block(seconds)
        if what == "end":
            return None
        if what not in ("frame", "broken", "stale", "regular"):
            raise SourceError(f"virtual: {what}")
        index, self._next = self._next, self._next + 1
        arrived_us = self.time.now_us()
        right_behind = self._pts + Fraction(1, 1_000_000)
        own = {"stale": right_behind, "regular": self._pts + 1 / self.rate}.get(what, Fraction(arrived_us, 1_000_000))
        self._pts = pts = max(right_behind, own)
        if what == "broken":
            return Unreadable(0, index, pts, "broken", arrived_us)
        return Frame(0, index, pts, np.zeros((1, 1, 3), np.uint8), arrived_us)

    def opened(self) -> VirtualCamera:
        """Opens it, as often as it is tried: what fails next in the script is the opening. Raises SourceError."""
        if self._reads < len(self.script) and self.script[self._reads][1] not in (
            "frame",
            "broken",
            "stale",
            "regular",
            "end",
        ):
            self.read()
        return self

    def pts(self, index: int) -> Fraction | None:
        return None

    def close(self) -> None:
        pass


@dataclass
class VirtualSink:
    """Takes results in order; writing takes ``write_s``; fails at frame ``fails_at``, hangs at ``hangs_at``."""

    time: VirtualTime
    stamp: Callable[[], int]
    write_s: float = 0
    fails_at: int | None = None
    hangs_at: int | None = None
    shows_dropped: bool = False
    blocks: bool = True
    written: list[int] = field(default_factory=list)

    def write(self, item: Result | Dropped) -> None:
        if item.frame.index == self.fails_at:
            raise SinkError("the disk is full", frame=item.frame.index)
        self.written.append(item.frame.index)
        if isinstance(item, Result):
            item.record.sink_start = self.stamp()
            self.time.block(FOR_EVER_S if item.frame.index == self.hangs_at else self.write_s)
            item.record.written = self.stamp()


@dataclass(kw_only=True)
class Rig:
    """A run in virtual time; ``services_s`` gives each inference's duration in turn, the last for all after."""

    fps: Pace = Fraction(25)
    frames: int = 100
    policy: Policy = Policy.DROP_OLDEST
    queue: int = 1
    services_s: tuple[float, ...] = (0.061,)
    requests: int = 1
    write_s: float = 0
    decode_s: float = 0
    deadline_us: int | None = None
    limits: Limits = field(default_factory=Limits)
    freshness: Freshness = field(default_factory=Freshness)
    arrivals: Arrivals | None = None
    file_gaps: FileGaps | None = None
    skip_gaps: bool = False
    broken: frozenset[int] = frozenset()
    engine_fails_at: int | None = None
    sink_fails_at: int | None = None
    source_hangs_at: int | None = None
    sink_hangs_at: int | None = None
    stop_at_us: int | None = None
    shows_dropped: bool = False
    primed: bool = False
    round_frames: int | None = None
    held_s: float = 0
    """Between rounds others run for so long."""
    ends_before_round: int | None = None
    streams: int = 1
    live: Sequence[Sequence[tuple[float, str]]] = ()
    """What happens at live sources, one for each stream; see `VirtualCamera`."""
    timeout_s: float = TIMEOUT_S
    away: frozenset[int] = frozenset()
    """Of these streams the camera is away when the run begins, and each attempt to open it follows its script."""
    away_rate: Fraction = Fraction(25)
    give_up_us: int | None = 60_000_000
    stall_us: int = 5_000_000
    engine_lost_at: frozenset[int] = frozenset()
    respawns: int = 0
    respawn_s: float = 0.5
    faults: Sequence[Mapping[str, Any]] = ()
    canary_every_us: int | None = None
    waits: list[tuple[int, int, int, float]] = field(default_factory=list)
    """The waits for a gap that were reported: when (microseconds), stream, frame, and how many seconds."""
    canary: list[Detections] = field(default_factory=list)
    """The detections in the canary frame, each time."""
    records: list[FrameRecord] = field(default_factory=list)
    inferences: list[tuple[int, int]] = field(default_factory=list)
    """When each began and ended, throw-away ones too, in microseconds since the run's origin."""

    chores: Sequence[tuple[float, float, bool]] = ()
    """What is done between frames: every how many seconds, how long it takes, and whether on a thread."""
    jobs: list[VirtualJob] = field(default_factory=list)

    def run(self) -> Rig:
        """Runs to the end; the same every time."""
        self._clock = trio.testing.MockClock(autojump_threshold=0)
        trio.run(self._main, clock=self._clock)
        self.records.sort(key=lambda record: (record.stream, record.frame))
        return self

    async def _main(self) -> None:
        self._time = time = VirtualTime()
        run_time = RunTime(time, time)
        rate = self.fps if isinstance(self.fps, Fraction) else Fraction(25)
        sources: Sequence[Source] = [VirtualCamera(script, rate, time, self.timeout_s) for script in self.live] or [
            VirtualSource(self.frames, rate, time, self.decode_s, self.broken, self.source_hangs_at, self.file_gaps)
            for _ in range(self.streams)
        ]
        sources = [self._awaited(number, source) for number, source in enumerate(sources)]
        self.injected = injected = Faults(plan_of("plan.toml", self.faults))
        opened = cameras(["virtual"] * len(sources), sources, self.fps, self.arrivals, skip_gaps=self.skip_gaps)
        self.cameras = injected.timed(opened)
        services = self._services()
        engine = NullEngine(parse_spec("null,delay_ms=1"), TINY, lambda _: self._infer(run_time, next(services)))
        engine.compile()
        self.sinks = [
            VirtualSink(
                time, run_time.stamp, self.write_s, self.sink_fails_at, self.sink_hangs_at, self.shows_dropped
            )
            for _ in sources
        ]
        self.primer = Primer(self.services_s[0] * 1_000_000, run_time.stamp) if self.primed else None
        self.tally = Tally(closed_loop=self.fps == "max", ticks_us=[None] * len(sources))
        self.ledger = Ledger(self.deadline_us, self.tally, self.records.append)
        self.replacing = Replacing(self.respawns, lambda: time.block(self.respawn_s), run_time.stamp)
        stages = [Stage.SOURCE, Stage.SINK, Stage.HOUSEKEEPING, *([] if self.respawns else [Stage.ENGINE])]
        self.watchdog = Watchdog(run_time, self.stall_us, stages)
        self.outages = Outages(self.give_up_us)
        self.pipeline = Pipeline(
            streams=[
                Stream(
                    first=None if number in self.away else await time.run(camera.source.read, camera.stage),
                    source=injected.source(number, camera, run_time.stamp, time.block),
                    schedule=camera.schedule,
                    freshness=FreshnessCheck(self.freshness),
                    sink=injected.sink(number, sink, run_time.stamp, time.block),
                )
                for number, (camera, sink) in enumerate(zip(self.cameras, self.sinks, strict=True))
            ],
            policy=self.policy,
            queue=self.queue,
            limits=self.limits,
            detectors=[self._detector(engine.requests[0], run_time.stamp) for _ in range(self.requests)],
            watchdog=self.watchdog,
            outages=self.outages,
            extras=Extras(
                primer=self.primer,
                intermission=None if self.round_frames is None else self._intermission(run_time),
                replacing=self.replacing,
                canary=self._canary_frame(),
                on_gap=lambda *wait: self.waits.append((run_time.now_us(), *wait)),
            ),
            ledger=self.ledger,
            time=run_time,
            chores=[self._chore(run_time, *chore) for chore in self.chores],
            decoded=lambda start, end: None,
        )
        async with trio.open_nursery() as nursery:
            if self.stop_at_us is not None:
                nursery.start_soon(self._stop, run_time)
            await self.pipeline.run()
            nursery.cancel_scope.cancel()
        self.ended_us = run_time.now_us()
        self.outages.finish(self.ended_us)
        self.tally.finish(self.ended_us)

    def _awaited(self, stream: int, source: Source) -> Source:
        if stream not in self.away:
            return source
        assert isinstance(source, VirtualCamera)
        return AwaitedSource("virtual", SourceError("virtual: was off"), source.opened, self.away_rate, stream)

    def _detector(self, request: Request, stamp: Callable[[], int]) -> Detector:
        preprocess = Preprocess(TINY.signature.picture_port, TINY.input_size, TINY.input)
        postprocess = Postprocess(TINY.decoder(), 0.25, 0.5)
        if not self.injected.engine:
            return Detector(request, preprocess, postprocess, stamp)
        means = Means(self._time.block, self._hang, self._lose)
        return FaultyDetector(request, preprocess, postprocess, stamp, self.injected.engine, means)

    def _hang(self) -> None:
        """An engine with a process of its own is given up by who speaks to it, and another one by the watchdog."""
        self._time.block(self.stall_us / 1_000_000 if self.respawns else FOR_EVER_S)
        if self.respawns:
            self._lose()

    def _lose(self) -> None:
        raise EngineLost("its process ended")

    def _canary_frame(self) -> Canary | None:
        if self.canary_every_us is None:
            return None
        frame = Frame(0, 0, Fraction(0), np.zeros((1, 1, 3), np.uint8))
        return Canary(frame, self.canary_every_us, self.canary.append)

    def _intermission(self, run_time: RunTime) -> Intermission:
        """Rounds whose turn comes after ``held_s``; the engine is warmed up in no time."""
        rig = self

        class Turns:
            study = "rig"
            waited = 0

            def begins(self, frame: int) -> bool:
                return frame % (rig.round_frames or 1) == 0

            def wait(self) -> bool:
                self.waited += 1
                rig._time.block(rig.held_s)
                return self.waited - 1 != rig.ends_before_round

        rate = self.fps if isinstance(self.fps, Fraction) else None
        self.intermission = Intermission(Turns(), rate, run_time, lambda: None, nullcontext)
        return self.intermission

    def _chore(self, run_time: RunTime, every_s: float, takes_s: float, aside: bool) -> Chore:
        def work(_: int) -> None:
            began = run_time.stamp()
            open_records = [one for one in self.ledger.open_records() if (one.detected or began + 1) > began]
            if aside:
                self._time.block(takes_s)
            else:
                self._clock.jump(takes_s)  # the event loop stands still
            self.jobs.append(VirtualJob(began, run_time.stamp(), aside, len(open_records)))

        return Chore("a job", round(every_s * 1_000_000), (Step(work, aside),))

    def _services(self) -> Iterator[float]:
        yield from self.services_s
        while True:
            yield self.services_s[-1]

    def _infer(self, run_time: RunTime, seconds: float) -> None:
        begun = run_time.stamp()
        self._time.block(seconds)
        self.inferences.append((begun, run_time.stamp()))
        if len(self.inferences) - 1 == self.engine_fails_at:
            raise RuntimeError("the engine broke")
        if len(self.inferences) - 1 in self.engine_lost_at:
            raise EngineLost("its process ended")

    async def _stop(self, time: RunTime) -> None:
        assert self.stop_at_us is not None
        await trio.sleep(0.02)
        await time.wait_until(self.stop_at_us)
        self.pipeline.stop()
