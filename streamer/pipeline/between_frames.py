"""When housekeeping is done: while no frame is being measured, none waits, and none will come before it has ended.

The best moment is right behind a frame, when the next one is the furthest away; where no frame comes for a while, any
will do. What a chore takes is learned. An engine that is never idle leaves no such moment: then a chore that has
waited for long enough is done right behind a frame all the same, and that is counted. It is least bad there: nothing
is being inferred beside it, and the frame that waits would have waited for the one before it anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

import anyio
from anyio.lowlevel import checkpoint

from streamer.errors import StreamerError
from streamer.pipeline.decode_ahead import Gate
from streamer.pipeline.housekeeping import Chore, Step, doing
from streamer.pipeline.shutdown import Overdue
from streamer.workers.run_clock import RunTime
from streamer.workers.threads import Begun, Stage

MARGIN_US = 1_000
"""A chore is to have ended so long before a frame is due."""
PATIENCE_US = 1_000_000
"""A chore waits so long for a moment that is good."""
ASIDE_PATIENCE_US = 100_000
"""And so long for one in which it ends before the next frame, if it is done on a thread."""
GUESS_US = 1_000
"""What a step is thought to take before it was ever done."""
FORGET = 0.9
"""The longest that a step has taken counts by so much less each time that it takes less."""
LOOK_US = 5_000
"""Where a frame may come at any time, it looks again so much later."""


@dataclass(slots=True)
class HousekeepingTally:
    """How many steps were begun, and how many of them while a frame was being measured, or waited for its turn.

    ``delayed`` counts those on the event loop that had not ended when the next frame was due or expected, and
    ``most_delay_us`` is by how much at most; ``longest_us`` is what one took there at most.
    """

    begun: int = 0
    while_measuring: int = 0
    delayed: int = 0
    most_delay_us: int = 0
    longest_us: int = 0


@dataclass(slots=True)
class _Pending:
    """A chore, the step that is next, and since when it has waited for its turn."""

    chore: Chore
    due_us: int
    place: int = 0
    costs_us: list[int] = field(default_factory=list)

    @property
    def step(self) -> Step:
        return self.chore.steps[self.place]

    @property
    def cost_us(self) -> int:
        """What the step that is next has taken lately."""
        return self.costs_us[self.place]

    @property
    def patience_us(self) -> int:
        """How long it waits for a good moment. What is cut in pieces does not miss its turn for that."""
        in_steps = any(step.aside for step in self.chore.steps)
        return min(PATIENCE_US, self.chore.every_us // 2) if in_steps else PATIENCE_US

    def fits(self, now_us: int, next_us: int | None) -> bool:
        """It may begin now, and ends before a frame comes at ``next_us``.

        What is done on a thread holds no frame up: it need not end before, if it has never found the time to.
        """
        if next_us is None or now_us + self.cost_us + MARGIN_US <= next_us:
            return True
        return self.step.aside and now_us < next_us and now_us - self.due_us >= ASIDE_PATIENCE_US

    def overdue(self, now_us: int) -> float:
        """By how far it is overdue: at a frame a second there are several that are."""
        return (now_us - self.due_us) / self.chore.every_us

    def done(self, began_us: int, ended_us: int) -> None:
        """The step that was next has been done."""
        self.costs_us[self.place] = max(ended_us - began_us, round(FORGET * self.cost_us))
        self.place += 1
        if self.place < len(self.chore.steps):
            self.due_us = ended_us
            return
        self.place = 0
        self.due_us = self.chore.next_us(began_us)


@dataclass(frozen=True, slots=True)
class _Aside:
    """A step that is being done on a thread since ``began_us``."""

    pending: _Pending
    began_us: int
    begun: Begun[None]


class BetweenFrames:
    """Does ``chores`` between the frames that hold the ``gate``, which is that of all streams.

    ``expected_us`` is given the run's time and says when a frame comes next, not later than now when one waits to be
    handed over; None where none is expected. ``fail`` is told what goes wrong in a chore.
    """

    def __init__(
        self,
        chores: Sequence[Chore],
        gate: Gate,
        time: RunTime,
        expected_us: Callable[[int], int | None],
        fail: Callable[[StreamerError], None],
    ) -> None:
        self._pending = [
            _Pending(one, one.every_us + one.behind_us, costs_us=[GUESS_US] * len(one.steps)) for one in chores
        ]
        self._gate = gate
        self._time = time
        self._expected_us = expected_us
        self._fail = fail
        self._aside: _Aside | None = None
        self._changed = anyio.Event()
        self.tally = HousekeepingTally()

    async def behind_a_frame(self) -> None:
        """Right behind a frame, before a worker takes the next one: does what is due."""
        if self._aside is not None and self._aside.begun.ended:
            self._end_aside()
        if not self._due(self._time.now_us()):
            return
        await _let_others_go_first()
        now = self._time.now_us()
        # One that nothing could wait for any longer is enough for one frame.
        if not self._do_what_fits() and (late := self._late(now)):
            self._do(late[0])

    async def keep(self) -> None:
        """Does what is due while no frame comes. Runs until it is cancelled."""
        while self._pending:
            now = self._time.now_us()
            if self._aside is not None:
                await self._aside.begun.wait()
                self._end_aside()
            elif not self._due(now):
                await self._sleep(min(one.due_us for one in self._pending) - now)
            elif not self._gate.open:
                await self._gate.wait_open()
                await _let_others_go_first()
            elif self._do_what_fits():
                continue
            elif late := self._late(now, times=2):  # no worker was behind a frame meanwhile
                self._do(late[0])
            else:
                await self._sleep(max((self._expected_us(now) or 0) - now, LOOK_US))

    async def end(self) -> None:
        """Waits for what is still being done on a thread."""
        if self._aside is not None:
            await self._aside.begun.wait()
            self._end_aside()

    async def _sleep(self, us: int) -> None:
        with anyio.move_on_after(us / 1_000_000):
            await self._changed.wait()
        self._changed = anyio.Event()

    def _due(self, now_us: int) -> list[_Pending]:
        """What is due, the most overdue first; nothing while something is being done on a thread."""
        if self._aside is not None:
            return []
        due = [one for one in self._pending if one.due_us <= now_us]
        return sorted(due, key=lambda one: one.overdue(now_us), reverse=True)

    def _late(self, now_us: int, times: int = 1) -> list[_Pending]:
        """What has waited so many times as long as it can."""
        return [one for one in self._due(now_us) if now_us - one.due_us >= times * one.patience_us]

    def _do_what_fits(self) -> bool:
        """Does all that is due and ends before a frame comes; whether there was anything."""
        begun = self.tally.begun
        while self._gate.open:
            now = self._time.now_us()
            next_us = self._expected_us(now)
            fits = [one for one in self._due(now) if one.fits(now, next_us)]
            if not fits:
                break
            self._do(fits[0])
        return self.tally.begun > begun

    def _do(self, pending: _Pending) -> None:
        began, tally = self._time.now_us(), self.tally
        next_us = self._expected_us(began)
        tally.begun += 1
        tally.while_measuring += not self._gate.open or (next_us is not None and next_us <= began)
        work = pending.step.work
        if pending.step.aside:
            self._aside = _Aside(pending, began, self._time.begin(partial(work, began), Stage.HOUSEKEEPING))
            self._changed.set()
            return
        try:
            with doing(pending.chore.name):
                work(began)
        except StreamerError as error:
            self._fail(error)
        ended = self._time.now_us()
        pending.done(began, ended)
        tally.longest_us = max(tally.longest_us, ended - began)
        if next_us is not None and began < next_us < ended:
            tally.delayed += 1
            tally.most_delay_us = max(tally.most_delay_us, ended - next_us)

    def _end_aside(self) -> None:
        """What was done on a thread has ended, or was given up."""
        if self._aside is None:
            return
        aside, self._aside = self._aside, None
        try:
            with suppress(Overdue), doing(aside.pending.chore.name):  # overdue: the run is being stopped
                aside.begun.outcome()
        except StreamerError as error:
            self._fail(error)
        aside.pending.done(aside.began_us, self._time.now_us())


async def _let_others_go_first() -> None:
    """The sink begins with the frame behind which it is, and what has arrived meanwhile is handed over."""
    await checkpoint()
    await checkpoint()
