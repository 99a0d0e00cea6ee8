"""Frames that arrive late: several held back and then at once, or each by a delay of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from streamer.faults.kinds import Kind
from streamer.faults.trigger import Trigger
from streamer.schedule.arrivals import Arrivals


class LateArrivals:
    """The arrivals of one stream. Frames do not overtake each other, and are requested in their order.

    ``due_us`` is when a frame is due without any fault, in microseconds of the run; it includes ``phase_us``.
    """

    def __init__(
        self,
        plain: Arrivals | None,
        due_us: Callable[[int], int | None],
        phase_us: int,
        faults: Sequence[Trigger],
    ) -> None:
        self.text = "faults" if plain is None else f"{plain.text} and faults"
        self._due_us = due_us
        self._phase_us = phase_us
        self._faults = [(fault, Random(fault.fault.name)) for fault in faults]
        self._newest: tuple[int, int | None] = (-1, None)
        self._held_until_us = 0

    def due_us(self, index: int, nominal_us: int) -> int | None:
        """As `Arrivals.due_us`."""
        if index != self._newest[0]:
            self._newest = index, self._arrives_us(index)
        arrives_us = self._newest[1]
        return None if arrives_us is None else arrives_us - self._phase_us

    def _arrives_us(self, index: int) -> int | None:
        due_us = arrives_us = self._due_us(index)
        if due_us is None or arrives_us is None:
            return None
        for trigger, chance in self._faults:
            if not trigger.fires(index, due_us):
                continue
            if trigger.fault.kind is Kind.JITTER:
                arrives_us += round(chance.uniform(0, trigger.fault.ms) * 1000)
            elif trigger.fault.kind is Kind.BURST and trigger.injected == 1:
                arrives_us = max(arrives_us, self._last_of(index, trigger.fault.frames or 1))
        self._held_until_us = max(self._held_until_us, arrives_us)
        return self._held_until_us

    def _last_of(self, index: int, frames: int) -> int:
        """When the last of so many frames is due; a source that ends before has fewer."""
        due = (self._due_us(one) for one in range(index + frames - 1, index - 1, -1))
        return next(us for us in due if us is not None)
