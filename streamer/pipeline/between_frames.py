"""When housekeeping is done: while no frame is being measured, none waits, and none will come before it has ended.

The best moment is right behind a frame, when the next one is the furthest away; where no frame comes for a while, any
moment will do. The duration of a chore is learned. An engine that is never idle leaves no such moment: then a chore
that has waited for long enough is done right behind a frame all the same, and that is counted. It does the least harm
there: nothing is being inferred beside it, and the frame that waits would have waited for the one before it anyway.
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
"""A chore must end so long before a frame is due."""
PATIENCE_US = 1_000_000
"""A chore waits so long for a good moment."""
ASIDE_PATIENCE_US = 100_000
"""A chore on a thread waits so long for a moment in which it ends before the next frame."""
GUESS_US = 1_000
"""The assumed duration of a step that was never done."""
FORGET = 0.9
"""The factor by which the longest duration of a step shrinks each time that the step is shorter."""
LOOK_US = 5_000
"""Where a frame may come at any time, the next look is so much later."""


@dataclass(slots=True)
class HousekeepingTally:
    """How many steps were begun, and how many of them while a frame was being measured, or waited for its turn.

    ``delayed`` counts the steps on the event loop that had not ended when the next frame was due or expected, and
    ``most_delay_us`` is the longest such delay. ``longest_us`` is the longest step on the event loop.
    """

    begun: int = 0
    while_measuring: int = 0
    delayed: int = 0
    most_delay_us: int = 0
    longest_us: int = 0


@dataclass(slots=True)
class _Pending:
    """A chore, the ``place`` of its next step, and since when that has been due."""

    chore: Chore
    due_us: int
    place: int = 0
    costs_us: list[int] = field(default_factory=list)

    @property
    def step(self) -> Step:
        return self.chore.steps[self.place]

    @property
    def cost_us(self) -> int:
        """The recent duration of the next step."""
        return self.costs_us[self.place]

    @property
    def patience_us(self) -> int:
        """How long it waits for a good moment. A chore with a step on a thread does not miss its next turn for it."""
        in_steps = any(step.aside for step in self.chore.steps)
        return min(PATIENCE_US, self.chore.every_us // 2) if in_steps else PATIENCE_US

    def fits(self, now_us: int, next_us: int | None) -> bool:
        """Whether the next step may begin now, and ends before a frame comes at ``next_us``.

        A step on a thread delays no frame. It need not end before, once it has waited for `ASIDE_PATIENCE_US`.
        """
        if next_us is None or now_us + self.cost_us + MARGIN_US <= next_us:
            return True
        return self.step.aside and now_us < next_us and now_us - self.due_us >= ASIDE_PATIENCE_US

    def overdue(self, now_us: int) -> float:
        """By how many of its periods it is overdue: at a frame a second several chores are."""
        return (now_us - self.due_us) / self.chore.every_us

    def done(self, began_us: int, ended_us: int) -> None:
        """Notes that the next step was done, and how long it took."""
        self.costs_us[self.place] = max(ended_us - began_us, round(FORGET * self.cost_us))
        self.place += 1
        if self.place < len(self.chore.steps):
            self.due_us = ended_us
            return
        self.place = 0
        self.due_us = self.chore.next_us(began_us)


@dataclass(frozen=True, slots=True)
class _Aside:
    """A step that has been running on a thread since ``began_us``."""

    pending: _Pending
    began_us: int
    begun: Begun[None]


class BetweenFrames:
    """Does ``chores`` between the frames that hold the ``gate``, which is that of all streams.

    ``expected_us`` returns when the next frame comes, from the run's time: not later than now when one waits to be
    handed over, None when none is expected. ``fail`` takes the error of a chore. All times are microseconds of the
    run.
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
        """Does what is due right behind a frame, before a worker takes the next one."""
        if self._aside is not None and self._aside.begun.ended:
            self._end_aside()
        if not self._due(self._time.now_us()):
            return
        await _let_others_go_first()
        now = self._time.now_us()
        # One chore that is late is enough for one frame.
        if not self._do_what_fits() and (late := self._late(now)):
            self._do(late[0])

    async def keep(self) -> None:
        """Does what is due while no frame comes. Returns only when it is cancelled, or without chores."""
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
        """Waits for the step that is still running on a thread."""
        if self._aside is not None:
            await self._aside.begun.wait()
            self._end_aside()

    async def _sleep(self, us: int) -> None:
        with anyio.move_on_after(us / 1_000_000):
            await self._changed.wait()
        self._changed = anyio.Event()

    def _due(self, now_us: int) -> list[_Pending]:
        """The chores that are due, the most overdue first; none while a step is running on a thread."""
        if self._aside is not None:
            return []
        due = [one for one in self._pending if one.due_us <= now_us]
        return sorted(due, key=lambda one: one.overdue(now_us), reverse=True)

    def _late(self, now_us: int, times: int = 1) -> list[_Pending]:
        """The chores that have waited ``times`` their patience or longer."""
        return [one for one in self._due(now_us) if now_us - one.due_us >= times * one.patience_us]

    def _do_what_fits(self) -> bool:
        """Does all that is due and ends before a frame comes; returns whether there was anything."""
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
        """Notes the end of the step on a thread, which has ended or was given up."""
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
    """Lets the sink begin with the frame before, and what has arrived meanwhile be handed over."""
    await checkpoint()
    await checkpoint()
