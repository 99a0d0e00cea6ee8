"""What comes from a live source, and the ticks that pass while nothing does.

A gap begins when the connection is lost, or when nothing has come for longer than a connection may be silent. Until
then a frame may still come, only late, and no row is written that it would prove wrong. From then on the ticks since
the last frame are missed, those that have passed at once and the others when their time comes, however long the
source blocks.
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
"""Before each attempt to connect anew; from the last one on always the same."""
ALLOWANCE_S = 1.0
"""A source that notices by itself that nothing comes has said so by then."""
EARLY = 1 / 8
"""By so much of a period a frame may come early: what is done between frames is to have ended by then."""
LAST_READ_S = 0.5
"""How long a read may go on when nobody wants its frame any more: the run is to end within 2 s."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """What is due at ``at_us``, with its time in the source: a frame, or the tick of a gap."""

    at_us: int
    pts: Fraction
    what: Frame | Unreadable | Outage


class LiveFeed:
    """Reads a live source of a stream, tells what comes, and connects it anew when it is lost.

    Due instants do not go back: a frame that came while the tick before was being told is due with that.
    """

    def __init__(self, source: Source, stream: int, time: RunTime, gaps: Outages) -> None:
        self._source = source
        self._stream = stream
        self._time = time
        self._gaps = gaps
        self._period_us = 1_000_000 / source.info.rate
        silence_us = round((source.info.timeout_s + ALLOWANCE_S) * 1_000_000)
        self._silence_us = max(silence_us, round(2 * self._period_us))
        self._reading: Begun[Frame | Unreadable | None] | None = None
        self._came: Frame | Unreadable | None = None
        self._came_us = 0
        self._ended = False
        self._connect_us = 0
        self._gap: Outage | None = None
        self._last_us = 0
        self._last_pts = Fraction(0)
        self._missed = 0
        self._begin: Fraction | None = None
        self._begin_us = 0

    async def next(self) -> Arrival | None:
        """What comes next; None at the end of a source that has one. Raises SourceError when it is given up."""
        while True:
            now = self._time.now_us()
            self._read_on(now)
            if self._ended:
                return None
            tick_us = self._tick_us(self._missed + 1)
            if self._gap is not None and tick_us <= now and (self._came is None or tick_us < self._came_us):
                return self._miss(self._gap, tick_us)
            if self._came is not None:
                return self._receive(self._came, max(self._came_us, self._tick_us(self._missed)))
            if now >= self._patience_us:
                raise self._given_up()
            if self._gap is None and now >= self._last_us + self._silence_us:
                self._gap = self._gaps.begin(self._stream, self._last_us)
            elif self._reading is None or not self._reading.ended:
                await self._wait(now)

    def expected_us(self, now_us: int) -> int | None:
        """When something comes next, as far as can be told: now when it is there, None after the end.

        It may come a little early. What does not come is waited for until half a period has passed, and from then on
        the one after it is expected.
        """
        if self._ended:
            return None
        if self._came is not None or (self._reading is not None and self._reading.ended):
            return now_us
        passed = (now_us - self._last_us) / self._period_us
        return self._tick_us(max(1, ceil(passed - 0.5))) - round(EARLY * self._period_us)

    async def end(self) -> None:
        """Ends the reading; a source that is still busy with it then is left alone."""
        if self._reading is None:
            return
        with anyio.CancelScope(shield=True), anyio.move_on_after(LAST_READ_S):
            await self._reading.wait()
        if not self._reading.ended:
            self._time.give_up(self._reading, SourceError(f"{self._source.info.uri}: left alone in mid-read"))

    @property
    def _patience_us(self) -> int:
        """When it is given up, if no frame comes by then."""
        give_up_us = self._gaps.give_up_us
        return self._last_us + (self._silence_us if give_up_us is None else give_up_us)

    def _read_on(self, now: int) -> None:
        """Takes what has been read, if anything has, or begins to read when it is time to."""
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
            if self._gap is not None:
                self._gap.attempts += 1
            self._reading = self._time.begin(self._source.read, Stage.LIVE)

    async def _wait(self, now: int) -> None:
        """Returns when something has come, or something else is to be done."""
        until_us = self._patience_us
        if self._gap is None:
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

    def _miss(self, gap: Outage, tick_us: int) -> Arrival:
        self._missed += 1
        return Arrival(tick_us, self._last_pts + Fraction(tick_us - self._last_us, 1_000_000), gap)

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
        if self._gap is not None:
            self._gaps.end(self._gap, at_us)
            self._gap = None
        self._last_us, self._last_pts, self._missed = at_us, pts, 0
        return Arrival(at_us, pts, item)

    def _lose(self, error: SourceError, now: int) -> None:
        if self._gaps.give_up_us is None:
            raise error
        if self._gap is None:
            self._gap = self._gaps.begin(self._stream, self._last_us)
        self._gap.failed(str(error).removeprefix(self._source.info.uri).lstrip(": "))
        pause_s = PAUSES_S[min(self._gap.attempts, len(PAUSES_S) - 1)]
        self._connect_us = now + round(pause_s * 1_000_000)

    def _given_up(self) -> SourceError:
        seconds = (self._patience_us - self._last_us) / 1_000_000
        tried = why = ""
        if self._gap is not None:
            if self._gap.attempts:
                tried = f", in which {self._gap.attempts} attempts to connect failed"
            why = "".join(f"; {one}" for one in self._gap.why[-1:])
        return SourceError(
            f"{self._source.info.uri}: no frame for {seconds:g} s{tried}{why or ': check the camera and the network'}"
        )
