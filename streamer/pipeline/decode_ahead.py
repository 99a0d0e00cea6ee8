"""Decoding ahead, gated: frames are decoded while no frame is being measured.

On two cores, decoding beside an inference costs that inference 5 to 10 %.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import anyio

from streamer.frame import Frame
from streamer.sources.base import Source, Unreadable
from streamer.workers.run_clock import RunTime
from streamer.workers.threads import Stage

DEPTH = 4
"""The most frames that are decoded ahead."""
MARGIN_US = 3_000
"""The time left free before a frame is due: waking up and spinning must not coincide with a decode."""


class Gate:
    """Counts the frames being measured, from due to detected; open when there are none."""

    def __init__(self) -> None:
        self._inside = 0
        self._opened = anyio.Event()
        self._opened.set()

    @property
    def open(self) -> bool:
        """No frame is being measured."""
        return self._inside == 0

    def enter(self) -> None:
        """Counts a frame that is due."""
        if self._inside == 0:
            self._opened = anyio.Event()
        self._inside += 1

    def leave(self) -> None:
        """Counts off a frame that is detected, or never will be."""
        self._inside -= 1
        if self._inside == 0:
            self._opened.set()

    async def wait_open(self) -> None:
        """Returns when no frame is being measured."""
        await self._opened.wait()


class LookAhead:
    """The next frames of a source, decoded ahead as far as the gate allows.

    ``first`` has been read already. ``decoded`` takes the begin and the end of each decode, in microseconds of the
    run. ``ungated`` counts the frames that had to be decoded while another was being measured.
    """

    def __init__(
        self,
        source: Source,
        first: Frame | Unreadable | None,
        time: RunTime,
        gate: Gate,
        decoded: Callable[[int, int], None],
    ) -> None:
        self._source = source
        self._time = time
        self._gate = gate
        self._decoded = decoded
        self._ready: deque[Frame | Unreadable] = deque() if first is None else deque([first])
        self._ended = first is None
        self._cost_us = 1_000
        self.ungated = 0

    async def next(self) -> Frame | Unreadable | None:
        """The next frame, decoded now if none is ready; None at the end of the source. Raises SourceError."""
        if not self._ready and not self._ended:
            self.ungated += not self._gate.open
            await self._decode()
        return self._ready.popleft() if self._ready else None

    async def refill(self, due_us: int) -> None:
        """Decodes ahead while the gate is open, until the frame due at ``due_us`` is near. Raises SourceError."""
        while len(self._ready) < DEPTH and not self._ended:
            remaining_us = due_us - MARGIN_US - self._cost_us - self._time.now_us()
            if remaining_us <= 0:
                return
            if self._gate.open:
                await self._decode()
            else:
                with anyio.move_on_after(remaining_us / 1_000_000):
                    await self._gate.wait_open()

    async def _decode(self) -> None:
        start_us = self._time.now_us()
        item = await self._time.run(self._source.read, Stage.SOURCE)
        # Smoothed: one slow decode must not make all later ones look too long for any gap.
        end_us = self._time.now_us()
        self._cost_us += (end_us - start_us - self._cost_us) // 8
        self._decoded(start_us, end_us)
        if item is None:
            self._ended = True
        else:
            self._ready.append(item)
