"""Threads as the pipeline sees them: real here, virtual in the tests.

The pipeline runs blocking work only through these, so that the same code runs in virtual time.
"""

from __future__ import annotations

import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from queue import SimpleQueue
from threading import Thread, current_thread
from typing import Any, Protocol, TypeVar

import anyio
from anyio.lowlevel import EventLoopToken, current_token

from streamer.workers.clock import Clock
from streamer.workers.event_loop import tell_loop

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Stage(StrEnum):
    """The stages that block, and so run on workers."""

    SOURCE = "source"
    LIVE = "live source"
    ENGINE = "engine"
    REPLACING = "engine's replacement"
    SINK = "sink"
    HOUSEKEEPING = "housekeeping"


class Workers(Protocol):
    """Runs blocking work beside the event loop."""

    async def run(self, work: Callable[[], T], stage: Stage) -> T:
        """Runs the ``work`` of a stage on a worker and returns its result, or raises its error."""
        ...

    def begin(self, work: Callable[[], T], stage: Stage) -> Begun[T]:
        """Begins the ``work`` of a stage on a worker, and does not wait for it."""
        ...

    def under_way(self) -> Sequence[UnderWay]:
        """The work that is being run now."""
        ...

    def give_up(self, work: UnderWay, error: Exception) -> None:
        """Abandons that work: its waiting caller gets the ``error``, and its worker is lost."""
        ...


class UnderWay(Protocol):
    """Work that a worker does for a ``stage``, since an instant of the clock in microseconds."""

    @property
    def stage(self) -> Stage: ...

    @property
    def since_us(self) -> int: ...

    def stack(self) -> list[str]:
        """The places in the code where it is now, the innermost call last; empty where they are unknown."""
        ...


class Begun(UnderWay, Protocol[T_co]):
    """Work that was begun, and can be waited for beside other things."""

    @property
    def ended(self) -> bool:
        """Whether it has an outcome."""
        ...

    async def wait(self) -> None:
        """Returns when the work has ended. Cancelling the wait does not end the work."""
        ...

    def outcome(self) -> T_co:
        """The result of work that has ended, or raises its error."""
        ...


@dataclass(slots=True, eq=False)
class _Job:
    """Work for a worker thread; ``lost`` when nobody waits for it any more."""

    work: Callable[[], Any]
    stage: Stage
    done: anyio.Event
    loop: EventLoopToken
    since_us: int = 0
    thread: Thread | None = None
    result: Any = None
    error: BaseException | None = None
    lost: bool = False

    @property
    def ended(self) -> bool:
        return self.done.is_set()

    async def wait(self) -> None:
        await self.done.wait()

    def outcome(self) -> Any:
        if self.error is not None:
            raise self.error
        return self.result

    def stack(self) -> list[str]:
        frame = None if self.thread is None else sys._current_frames().get(self.thread.ident or 0)
        return [f"{one.filename}:{one.lineno} {one.name}" for one in traceback.extract_stack(frame)] if frame else []


def beside(work: Callable[[], None]) -> None:
    """Runs ``work`` on a thread of its own, which does not keep the process from ending."""
    Thread(target=work, daemon=True).start()


class Threads:
    """Worker threads for each stage, as many as it has work for at once. ``close`` ends them.

    A hop to one of these threads takes a third of the time of one to anyio's, and a stage's work stays on one thread.
    The CPU time of each stage is counted. A thread cannot be ended from outside: abandoned work goes on, and ``lost``
    has the stages of such threads. The threads do not keep the process from ending.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._jobs: dict[Stage, SimpleQueue[_Job | None]] = {}
        self._threads: dict[Stage, list[Thread]] = {}
        self._busy: Counter[Stage] = Counter()
        self._cpu_ns: Counter[Stage] = Counter()
        self._under_way: list[_Job] = []
        self.lost: set[Stage] = set()

    @property
    def cpu_s(self) -> dict[str, float]:
        """The CPU seconds of each stage, without those of threads that a runtime starts by itself."""
        return {stage.value: round(ns / 1e9, 3) for stage, ns in self._cpu_ns.items()}

    def forget_cpu(self) -> None:
        """Counts CPU time anew from now on."""
        self._cpu_ns.clear()

    @contextmanager
    def uncounted(self) -> Iterator[None]:
        """Leaves out the CPU time that is used meanwhile."""
        before = self._cpu_ns.copy()
        try:
            yield
        finally:
            self._cpu_ns = before

    async def run(self, work: Callable[[], T], stage: Stage) -> T:
        job = self.begin(work, stage)
        with anyio.CancelScope(shield=True):  # a thread cannot be cancelled
            await job.wait()
        return job.outcome()

    def begin(self, work: Callable[[], T], stage: Stage) -> Begun[T]:
        job = _Job(work, stage, anyio.Event(), current_token())
        jobs = self._jobs.setdefault(stage, SimpleQueue())
        self._busy[stage] += 1
        if self._busy[stage] > len(self._threads.setdefault(stage, [])):
            thread = Thread(target=self._serve, args=(jobs,), name=f"streamer {stage}", daemon=True)
            self._threads[stage].append(thread)
            thread.start()
        jobs.put(job)
        return job

    def under_way(self) -> Sequence[UnderWay]:
        return list(self._under_way)

    def give_up(self, work: UnderWay, error: Exception) -> None:
        for job in self._under_way:
            if job is work:
                self._under_way.remove(job)
                self.lost.add(job.stage)
                job.lost, job.error = True, error
                job.done.set()
                return

    def close(self) -> None:
        """Ends the threads, which have no work any more, except lost ones; may be called again."""
        for stage, threads in self._threads.items():
            for _ in threads:
                self._jobs[stage].put(None)
            while threads:
                thread = threads.pop()
                if stage not in self.lost:
                    thread.join()

    def _serve(self, jobs: SimpleQueue[_Job | None]) -> None:
        while (job := jobs.get()) is not None:
            result, error = None, None
            job.since_us, job.thread = self._clock.now_us(), current_thread()
            self._under_way.append(job)
            start = time.thread_time_ns()
            try:
                result = job.work()
            except BaseException as raised:
                error = raised
            self._cpu_ns[job.stage] += time.thread_time_ns() - start
            if job.lost:
                return
            job.result, job.error = result, error
            tell_loop(job.loop, self._done, job)
            del job, result, error  # releases what they hold before the next job comes

    def _done(self, job: _Job) -> None:
        """Ends a job in the event loop, where no other job is abandoned meanwhile."""
        if not job.lost:  # else its thread serves no stage any more
            self._under_way.remove(job)
            self._busy[job.stage] -= 1
            job.done.set()
