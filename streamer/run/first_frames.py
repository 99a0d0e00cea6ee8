"""Before the origin: reads first frames, and discards what live sources have kept since, side by side."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import partial
from threading import Lock

from streamer.errors import NoSource, SourceError
from streamer.frame import Frame
from streamer.pipeline.camera import Camera
from streamer.run.open_sources import failure_of, together
from streamer.run.resources import Opened
from streamer.sources.base import Source, Unreadable
from streamer.workers.clock import Clock
from streamer.workers.threads import Begun

First = Frame | Unreadable | None
RECENT = 5
"""So many frames in a row show whether they were kept or have to be waited for."""
WAITED_US = 250_000
"""A read that takes so long has waited for its frame, also with a slow camera: no decode takes as long."""
CLOCK_SHARE = Fraction(1, 1000)
"""Frame times that differ from the clock by a smaller share are instants of reading."""


class Ended(NoSource):
    """A live source ended before the run began: it is not away."""


async def first_frames(opened: Opened) -> tuple[Sequence[First], Sequence[int]]:
    """Each stream's first frame (None: the source is away or at its end), and when it came, by the clock in us.

    Raises SourceError when a source fails that the run cannot begin without.
    """
    begun: dict[int, Begun[tuple[First, int]]] = {}
    for number, camera in enumerate(opened.cameras):
        if number in opened.awaited and opened.awaited[number].away:
            continue
        begun[number] = opened.threads.begin(partial(_first, camera.source, opened.clock), camera.stage)
        if not camera.source.info.live:
            await failure_of(begun[number])  # files stay one after the other
    failed = {number: failure for number, job in begun.items() if (failure := await failure_of(job)) is not None}
    go_on_without(failed, opened)
    nothing = None, opened.clock.now_us()
    found = [begun[n].outcome() if n in begun and n not in failed else nothing for n in range(len(opened.cameras))]
    return [item for item, _ in found], [us for _, us in found]


def _first(source: Source, clock: Clock) -> tuple[First, int]:
    item = source.read()
    arrived_us = None if item is None else item.arrived_us
    return item, clock.now_us() if arrived_us is None else arrived_us


async def release(opened: Opened, since_us: Sequence[int]) -> None:
    """Discards the frames that live sources have kept since those instants: they would all arrive at once.

    Raises SourceError when a source fails that the run cannot begin without.
    """
    there = {
        number: camera
        for number, camera in enumerate(opened.cameras)
        if camera.source.info.live
        and not camera.source.info.paced
        and not (number in opened.awaited and opened.awaited[number].away)
    }
    infos = {number: camera.source.info for number, camera in there.items()}
    leaving = Leaving(
        {number: max(round(1_000_000 / info.rate), info.longest_wait_us) for number, info in infos.items()}
    )
    begun = {number: _begin(number, camera, since_us[number], leaving, opened) for number, camera in there.items()}
    failed = {number: failure for number, job in begun.items() if (failure := await failure_of(job)) is not None}
    go_on_without(failed, opened)


def _begin(number: int, camera: Camera, since_us: int, leaving: Leaving, opened: Opened) -> Begun[None]:
    def work() -> None:
        try:
            catch_up(camera.source, since_us, opened.clock, partial(leaving.may, number))
        finally:
            leaving.gone(number)  # no stream waits for one that has failed

    return opened.threads.begin(work, camera.stage)


class Leaving:
    """The order in which streams stop reading: first those with the longest wait for a frame.

    A stream that stopped while a slower one still reads would keep what comes until that has its frame. ``waits_us``
    is the wait for a frame of each stream, in microseconds. Any thread may call the methods.
    """

    def __init__(self, waits_us: Mapping[int, int]) -> None:
        self._reading = {number: max(us, WAITED_US) for number, us in waits_us.items()}
        self._behind = set(waits_us)
        self._lock = Lock()

    def may(self, number: int, waited_us: int) -> bool:
        """Whether a stream that has caught up may stop; ``waited_us`` is its longest wait."""
        with self._lock:
            self._behind.discard(number)
            mine = self._reading[number] = max(self._reading[number], waited_us)
            slower = any(us > mine for us in self._reading.values())
            # Quick streams all wait for one another: one more frame costs nothing.
            if slower or (mine == WAITED_US and self._behind):
                return False
            del self._reading[number]
            return True

    def gone(self, number: int) -> None:
        """Notes that a stream is no longer read."""
        with self._lock:
            self._behind.discard(number)
            self._reading.pop(number, None)


def catch_up(source: Source, since_us: int, clock: Clock, may_stop: Callable[[int], bool]) -> None:
    """Reads until frames have to be waited for, and on until it may stop. Blocks.

    ``may_stop`` is called from then on with the longest wait in microseconds. From a source that never waits, no more
    is read than the time since ``since_us``. Raises SourceError when the source fails, and when it ends.
    """
    start_us, longest_us = clock.now_us(), 0
    recent: deque[tuple[int, Fraction]] = deque(maxlen=RECENT)
    first = None
    waiting = False
    while True:
        begin_us = clock.now_us()
        item = source.read()
        now_us = clock.now_us()
        if item is None:
            raise Ended(f"{source.info.uri}: ended before the run began: give one that lasts longer")
        first = first or item
        recent.append((now_us if item.arrived_us is None else item.arrived_us, item.pts))
        longest_us = max(longest_us, now_us - begin_us)
        waiting = waiting or now_us - begin_us >= WAITED_US or _paced(recent, source.info.rate)
        if waiting and may_stop(longest_us):
            return
        left_alone_us = now_us - since_us
        enough = (item.pts - first.pts) * 1_000_000 >= left_alone_us or now_us - start_us > left_alone_us / 2
        if enough and not waiting:
            return


def _paced(recent: Sequence[tuple[int, Fraction]], rate: Fraction) -> bool:
    """Whether the last frames were not kept: they came no more than twice as fast as they were captured.

    A single frame would not show it on a busy machine. They were captured at their own times or, where these are only
    the instants at which they were read, at the ``rate`` of the source.
    """
    if len(recent) < RECENT:
        return False
    (begin_us, begin), (end_us, end) = recent[0], recent[-1]
    took_us, made_us = end_us - begin_us, (end - begin) * 1_000_000
    if abs(took_us - made_us) < took_us * CLOCK_SHARE:
        made_us = (RECENT - 1) * 1_000_000 / rate
    return took_us >= made_us / 2


def go_on_without(failed: Mapping[int, Exception], opened: Opened) -> None:
    """Marks live sources that have failed as away. Raises their errors when the run cannot begin without them."""
    lost = {number: error for number, error in failed.items() if isinstance(error, SourceError)}
    if (
        any(number not in opened.awaited or isinstance(failed[number], NoSource) for number in failed)
        or lost != failed
    ):
        raise together(list(failed.values()))
    for number, error in lost.items():
        opened.awaited[number].lose(error)
    if failed and sum(awaited.away for awaited in opened.awaited.values()) == len(opened.cameras):
        raise together(list(failed.values()))
