"""Injects the faults of a plan into the stages of a run."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from dataclasses import replace

from streamer.errors import UsageError
from streamer.faults.disk import FullDisk
from streamer.faults.engine import Means
from streamer.faults.kinds import KINDS, Target
from streamer.faults.late_arrivals import LateArrivals
from streamer.faults.plan import Plan
from streamer.faults.process import ProcessFault
from streamer.faults.sink import FaultySink
from streamer.faults.source import FaultySource
from streamer.faults.timestamps import BrokenTimes
from streamer.faults.trigger import FaultPart, Trigger
from streamer.pipeline.camera import Camera
from streamer.sink.sink import Sink
from streamer.sources.base import Source

FOR_EVER_S = 1_000_000.0


class Faults:
    """The faults of a ``plan``, each with its trigger. They are for one run.

    ``engine`` are the triggers of the engine's faults; ``disk`` is what the files of the run are on.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._triggers = [Trigger(fault) for fault in plan.faults]
        self._processes: list[ProcessFault] = []
        self._sources: list[FaultySource] = []
        self._due_us: dict[int, Callable[[int], int | None]] = {}
        self.engine = self._of(Target.ENGINE)
        self.disk = FullDisk()

    def check(self, cameras: Sequence[Camera], *, respawn: bool) -> None:
        """Raises UsageError for a fault that cannot be injected into this run."""
        for trigger in self._triggers:
            fault, row = trigger.fault, KINDS[trigger.fault.kind]
            if fault.stream >= len(cameras):
                last = len(cameras) - 1
                raise UsageError(f"{fault.name}: there is no stream {fault.stream}; give one from 0 to {last}")
            camera = cameras[fault.stream]
            timed = row.target in (Target.ARRIVALS, Target.TIMESTAMPS)
            if timed and camera.source.info.live:
                raise UsageError(
                    f"{fault.name}: {camera.source.info.uri} is live, and its frames are due when they arrive; "
                    f"leave {fault.kind} out, or give a file"
                )
            if row.target is Target.ARRIVALS and camera.schedule.closed_loop:
                raise UsageError(f"{fault.name}: with --fps max nothing is due; leave {fault.kind} out")
            if row.respawn and not respawn:
                raise UsageError(
                    f"{fault.name}: {fault.kind} needs an engine in a process of its own; add --respawn 1"
                )
            # An engine in this process gets no signal.
            signals = row.signals and (respawn or row.target is not Target.ENGINE)
            if signals and not hasattr(signal, "SIGSTOP"):
                raise UsageError(f"{fault.name}: this system has no signals for {fault.kind}; leave it out")

    def timed(self, cameras: Sequence[Camera]) -> list[Camera]:
        """The cameras, with the frame times and the arrivals of their faults."""
        return [self._timed(number, camera) for number, camera in enumerate(cameras)]

    def _timed(self, number: int, camera: Camera) -> Camera:
        source, nominal = camera.source, camera.schedule
        for trigger in self._of(Target.TIMESTAMPS, number):
            nominal = replace(nominal, gaps=None)  # times from the frame rate have none
            source = BrokenTimes(source, nominal.due_us, trigger)

        def due_us(index: int) -> int | None:
            pts = source.pts(index)
            return None if pts is None else nominal.due_us(index, pts)

        self._due_us[number] = due_us
        late, schedule = self._of(Target.ARRIVALS, number), nominal
        if late:
            schedule = replace(schedule, arrivals=LateArrivals(schedule.arrivals, due_us, schedule.phase_us, late))
        return replace(camera, source=source, schedule=schedule)

    def start(self) -> None:
        """Starts the children that cause faults of the process. Blocks until they are ready. Raises SourceError."""
        for trigger in self._of(Target.PROCESS):
            self._processes.append(ProcessFault(trigger))
        for process in self._processes:
            process.wait_ready()

    def kill(self) -> None:
        """Ends those children at once; may be called again."""
        for process in self._processes:
            process.kill()

    def source(
        self, number: int, camera: Camera, now_us: Callable[[], int], block: Callable[[float], None]
    ) -> Source:
        """The source of a stream, with its faults. Its first frame has been read: a live one's is not in the run."""
        faults = self._of(Target.SOURCE, number)
        processes = [process for process in self._processes if process.trigger.fault.stream == number]
        if not faults and not processes:
            return camera.source
        scheduled = not camera.schedule.closed_loop and not camera.source.info.live

        def at_us(index: int) -> int:
            due_us = self._due_us[number](index) if scheduled else None
            return now_us() if due_us is None else due_us

        first = 0 if camera.source.info.live else 1
        self._sources.append(FaultySource(camera.source, first, faults, processes, at_us, now_us, block))
        return self._sources[-1]

    def sink(self, number: int, sink: Sink, stamp: Callable[[], int], block: Callable[[float], None]) -> Sink:
        """The sink of a stream, with its faults."""
        faults = self._of(Target.SINK, number)
        return FaultySink(sink, faults, self.disk, stamp, block) if faults else sink

    def part(self) -> list[FaultPart]:
        """The faults as the manifest holds them."""
        return [trigger.part() for trigger in self._triggers]

    def doubts(self) -> list[str]:
        """A sentence that faults were injected, and what they did to the sources."""
        return [
            f"faults were injected on purpose, by {self._plan.path}: the figures are of a disturbed run",
            *(doubt for source in self._sources for doubt in source.doubts),
        ]

    def missed(self) -> list[str]:
        """The faults that were never triggered, a sentence each."""
        return [
            f"{trigger.fault.name} ({trigger.fault.kind}) was not triggered: the run ended before it"
            for trigger in self._triggers
            if not trigger.injected
        ]

    def _of(self, target: Target, stream: int | None = None) -> list[Trigger]:
        return [
            trigger
            for trigger in self._triggers
            if KINDS[trigger.fault.kind].target is target and stream in (None, trigger.fault.stream)
        ]


def means_of(block: Callable[[float], None], send: Callable[[int], None] | None) -> Means:
    """The means for an engine in this process (``send`` is None), or for one in a process that ``send`` signals."""

    def hang() -> None:
        if send is None:
            block(FOR_EVER_S)
        else:
            send(signal.SIGSTOP)

    def kill() -> None:
        assert send is not None, "check has refused it"
        send(signal.SIGKILL)

    return Means(block, hang, kill)
