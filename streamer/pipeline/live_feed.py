"""The frames of a live source, and the ticks that pass while none comes.

An outage begins when the connection is lost, or when nothing has come for longer than a connection may be silent.
Before that a late frame may still come, and no row is written that it would prove wrong. From then on every tick
since the last frame is missed: those that have passed at once, the others when their time comes. A read that blocks
delays none of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil

import anyio

from streamer.errors import SourceError
from streamer.frame import Frame
from streamer.ledger.outages import Outage, Outages
from streamer.sources import live
from streamer.sources.base import Source, Unreadable
from streamer.workers.run_clock import RunTime
from streamer.workers.threads import Begun, Stage

PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Pauses before the attempts to connect anew; the last one is repeated."""
ALLOWANCE_S = 1.0
"""Beyond its own timeout: a source that notices the silence itself has reported it by then."""
EARLY = 1 / 8
"""The share of a period by which a frame may come early. Housekeeping must have ended by then."""
LAST_READ_S = 0.5
"""How long a read may go on after the end of the feed: the run must end within 2 s."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A frame, or a tick of an outage, due at ``at_us`` of the run; ``pts`` is its time in the source, in seconds."""

    at_us: int
    pts: Fraction
    what: Frame | Unreadable | Outage


class LiveFeed:
    """Reads a live source of a stream, returns what comes, and connects the source anew when it is lost.

    Due instants do not go back: a frame that came while the tick before it was handed out is due with that tick.
    """

    def __init__(self, source: Source, stream: int, time: RunTime, outages: Outages) -> None:
        self._source = source
        self._stream = stream
        self._time = time
        self._outages = outages
        self._period_us = 1_000_000 / source.info.rate
        silence_us = round((source.info.timeout_s + ALLOWANCE_S) * 1_000_000)
        self._silence_us = max(silence_us, round(2 * self._period_us))
        self._reading: Begun[Frame | Unreadable | None] | None = None
        self._came: Frame | Unreadable | None = None
        self._came_us = 0
        self._ended = False
        self._connect_us = 0
        self._outage: Outage | None = None
        self._last_us = 0
        self._last_pts = Fraction(0)
        self._missed = 0
        self._begin: Fraction | None = None
        self._begin_us = 0

    async def next(self) -> Arrival | None:
        """The next arrival; None at the end of the source. Raises SourceError when the source is given up."""
        while True:
            now = self._time.now_us()
            self._read_on(now)
            if self._ended:
                return None
            tick_us = self._tick_us(self._missed + 1)
            if self._outage is not None and tick_us <= now and (self._came is None or tick_us < self._came_us):
                return self._miss(self._outage, tick_us)
            if self._came is not None:
                return self._receive(self._came, max(self._came_us, self._tick_us(self._missed)))
            if now >= self._patience_us:
                raise self._given_up()
            if self._outage is None and now >= self._last_us + self._silence_us:
                self._outage = self._outages.begin(self._stream, self._last_us)
            elif self._reading is None or not self._reading.ended:
                await self._wait(now)

    def expected_us(self, now_us: int) -> int | None:
        """When the next frame is expected, in microseconds of the run: now when it is there, None after the end.

        A frame may come a little early. One that is late is expected until half a period after its tick; from then
        on the next one is.
        """
        if self._ended:
            return None
        if self._came is not None or (self._reading is not None and self._reading.ended):
            return now_us
        passed = (now_us - self._last_us) / self._period_us
        return self._tick_us(max(1, ceil(passed - 0.5))) - round(EARLY * self._period_us)

    async def end(self) -> None:
        """Ends the reading. A read that is still under way after `LAST_READ_S` is given up."""
        if self._reading is None:
            return
        with anyio.CancelScope(shield=True), anyio.move_on_after(LAST_READ_S):
            await self._reading.wait()
        if not self._reading.ended:
            self._time.give_up(self._reading, SourceError(f"{self._source.info.uri}: left alone in mid-read"))

    @property
    def _patience_us(self) -> int:
        """When the source is given up, if no frame comes by then."""
        give_up_us = self._outages.give_up_us
        return self._last_us + (self._silence_us if give_up_us is None else give_up_us)

    def _read_on(self, now: int) -> None:
        """Accepts what has been read, if anything has, or begins to read when it is time to."""
        if self._reading is not None and self._reading.ended:
            reading, self._reading = self._reading, None
            try:
                item = reading.outcome()
            except SourceError as error:
                self._lose(error, now)
                return
            self._came, self._ended = item, item is None
            if item is not None:
                self._came_us = now if item.arrived_us is None else self._time.since_origin(item.arrived_us)
        elif self._reading is None and self._came is None and now >= self._connect_us:
            if self._outage is not None:
                self._outage.attempts += 1
            self._reading = self._time.begin(self._source.read, Stage.LIVE)

    async def _wait(self, now: int) -> None:
        """Returns when a read has ended, or when the next tick, attempt or limit is due."""
        until_us = self._patience_us
        if self._outage is None:
            until_us = min(until_us, self._last_us + self._silence_us)
        else:
            until_us = min(until_us, self._tick_us(self._missed + 1))
        if self._reading is None:
            until_us = min(until_us, self._connect_us)
        with anyio.move_on_after((until_us - now) / 1_000_000):
            if self._reading is None:
                await anyio.sleep_forever()
            else:
                await self._reading.wait()

    def _tick_us(self, number: int) -> int:
        """When so many nominal periods have passed since the last frame."""
        return self._last_us + round(number * self._period_us)

    def _miss(self, outage: Outage, tick_us: int) -> Arrival:
        self._missed += 1
        return Arrival(tick_us, self._last_pts + Fraction(tick_us - self._last_us, 1_000_000), outage)

    def _receive(self, item: Frame | Unreadable, at_us: int) -> Arrival:
        self._came = None
        first = self._begin is None
        if self._begin is None:
            # Times count from the first frame of the run, or, when ticks were missed before it, from its beginning.
            self._begin = item.pts - (Fraction(at_us, 1_000_000) if self._missed else 0)
            self._begin_us = 0 if self._missed else at_us
        pts = item.pts - self._begin
        # A first frame that came late put all others ahead of their arrival.
        ahead = pts - Fraction(at_us - self._begin_us, 1_000_000)
        if ahead > self._period_us / 2_000_000:
            self._begin += ahead
            pts -= ahead
        if not first:
            pts = max(pts, self._last_pts + live.MICROSECOND)
        if self._missed:
            missed_us = self._tick_us(self._missed) - self._last_us
            earliest = self._last_pts + Fraction(missed_us, 1_000_000) + live.MICROSECOND
            if pts < earliest:  # a source that stood still, and its time with it: it goes on from here
                self._begin -= earliest - pts
                pts = earliest
        if self._outage is not None:
            self._outages.end(self._outage, at_us)
            self._outage = None
        self._last_us, self._last_pts, self._missed = at_us, pts, 0
        return Arrival(at_us, pts, item)

    def _lose(self, error: SourceError, now: int) -> None:
        if self._outages.give_up_us is None:
            raise error
        if self._outage is None:
            self._outage = self._outages.begin(self._stream, self._last_us)
        self._outage.failed(str(error).removeprefix(self._source.info.uri).lstrip(": "))
        pause_s = PAUSES_S[min(self._outage.attempts, len(PAUSES_S) - 1)]
        self._connect_us = now + round(pause_s * 1_000_000)

    def _given_up(self) -> SourceError:
        seconds = (self._patience_us - self._last_us) / 1_000_000
        tried = why = ""
        if self._outage is not None:
            if self._outage.attempts:
                tried = f", in which {self._outage.attempts} attempts to connect failed"
            why = "".join(f"; {one}" for one in self._outage.why[-1:])
        return SourceError(
            f"{self._source.info.uri}: no frame for {seconds:g} s{tried}{why or ': check the camera and the network'}"
        )
