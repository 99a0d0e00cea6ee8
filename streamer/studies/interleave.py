"""Runs of one source in processes of their own, in interleaved rounds: one of them runs, the others are blocked.

The order is reversed from one round to the next (ABBA), so that a drift of the machine favours none.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from math import inf
from pathlib import Path
from typing import Any
from uuid import uuid4

from streamer.errors import Defect, EngineError, ModelError, UsageError
from streamer.pipeline.housekeeping import Progress
from streamer.rundir.rundir import discard
from streamer.settings.settings import Settings
from streamer.studies.arm_process import Ended, Waiting, serve
from streamer.workers.processes import Child, ChildLost

ROUND_S = 1
"""Seconds of a round: long enough for queues to fill, short enough for a drift to be the same for all."""
LEAST_FRAMES = 10
"""The least frames in a round, whatever the rate."""


def frames_in_a_round(rate: Fraction) -> int:
    """The number of frames in a round, about a second of the camera."""
    return max(round(rate * ROUND_S), LEAST_FRAMES)


def starts_of_rounds(frames: int, rate: Fraction, source: str) -> tuple[int, ...]:
    """The frames with which rounds begin.

    A round has about a second. Their number is even, so that both orders come equally often. Raises UsageError when
    the frames are too few for two rounds.
    """
    in_a_round = frames_in_a_round(rate)
    if frames < 2 * in_a_round:
        raise UsageError(
            f"{source}: {frames} frames are too few for two rounds, which need {2 * in_a_round}: "
            "give a longer source, or --loop with --duration"
        )
    rounds = 2 * (frames // (2 * in_a_round))
    return tuple(number * frames // rounds for number in range(rounds))


SILENCE_S = 60.0
"""A run that has its turn hangs when it sends nothing for so long, beside the time of its round."""
WATCHED_S = 0.5
"""The longest time between two calls of a study's `Watch`, also while the run that has its turn sends nothing."""


@dataclass(slots=True)
class Lane:
    """One run: its ``name`` for people, its ``settings``, and the frames with which its rounds begin.

    ``directory`` is its run directory once it is complete. ``why`` is why there is none, or why it ended early.
    ``rounds`` counts the rounds that are done.
    """

    name: str
    settings: Settings
    starts: tuple[int, ...]
    directory: Path | None = None
    why: str | None = None
    rounds: int = 0
    child: Child | None = field(default=None, repr=False)

    @property
    def out(self) -> Path:
        """The path of its run directory."""
        assert self.settings.out is not None
        return self.settings.out

    def doing(self, number: int) -> str:
        """What the run does in round ``number``, for people; -1 is before the first."""
        turn = "reading, compiling, warming up" if number < 0 else f"round {number + 1} of {len(self.starts)}"
        return f"{self.name}: {turn}"


Watch = Callable[[Lane, int, Progress | None], None]
"""Called with the lane that has its turn, its round (-1: it is read, compiled and warmed up), and its progress.

It is called about twice a second, whatever the lane does. An error that it raises ends the study.
"""


class Interleaved:
    """The runs of a study.

    A round lasts about ``round_s`` seconds, and up to ``longest_gap_s`` more with a gap in the source's times.
    """

    def __init__(
        self, source: str, lanes: Sequence[Lane], round_s: float, watch: Watch, *, longest_gap_s: float = 0
    ) -> None:
        self._study = uuid4().hex
        self._source = source
        self._lanes = lanes
        self._within_s = SILENCE_S + 3 * round_s + longest_gap_s
        self._watch = watch

    def run(self) -> None:
        """Opens all lanes, one after the other, then runs the rounds.

        A lane that cannot run, or fails, has a ``why``, and the others go on. Raises UsageError when the request for
        an engine makes no sense, and SourceError; then nothing has run. An interruption ends the runs in good order,
        keeps the rounds that are done, and is raised again.
        """
        try:
            self._open()
        except BaseException:
            for lane in self._lanes:
                if lane.child is not None:
                    lane.child.kill()
                    discard(lane.out)
            raise
        try:
            for number in range(max(len(lane.starts) for lane in self._lanes)):
                for lane in self._lanes if number % 2 == 0 else self._lanes[::-1]:
                    if lane.child is not None:
                        self._turn(lane, number)
        except BaseException:
            self._stop()
            raise

    def _open(self) -> None:
        for lane in self._lanes:
            self._watch(lane, -1, None)
            lane.child = Child(serve, self._source, lane.settings, self._study, frozenset(lane.starts))
            self._listen(lane, -1, inf)

    def _turn(self, lane: Lane, number: int) -> None:
        assert lane.child is not None
        self._watch(lane, number, None)
        try:
            lane.child.tell(True)
        except ChildLost as error:
            self._lose(lane, error)
        else:
            self._listen(lane, number, self._within_s)

    def _listen(self, lane: Lane, number: int, within_s: float) -> None:
        """Reads the lane's messages until it waits for its next turn or ends."""
        so_far: Progress | None = None
        while lane.child is not None:
            message = self._next(lane, within_s, partial(self._watch, lane, number, so_far))
            if isinstance(message, Waiting):
                lane.rounds = number + 1
                return
            if isinstance(message, Progress):
                so_far = message
                self._watch(lane, number, so_far)

    def _next(
        self, lane: Lane, within_s: float, meanwhile: Callable[[], None] = lambda: None
    ) -> Waiting | Progress | None:
        """The lane's next message; None when that was its last one, and has been recorded."""
        assert lane.child is not None
        try:
            message = _heard(lane.child, within_s, meanwhile)
        except ChildLost as error:
            self._lose(lane, error)
            return None
        if isinstance(message, Waiting | Progress):
            return message
        lane.child.end()
        lane.child = None
        if isinstance(message, Ended):
            self._ended(lane, message)
        elif isinstance(message, EngineError | ModelError | Defect):
            lane.why = str(message)
        else:
            raise message
        return None

    @staticmethod
    def _ended(lane: Lane, ended: Ended) -> None:
        lane.directory = ended.directory
        lane.why = ended.failure
        if not ended.failure and not ended.interrupted:
            lane.rounds = len(lane.starts)

    def _lose(self, lane: Lane, error: ChildLost) -> None:
        assert lane.child is not None
        lane.child.kill()
        lane.child = None
        lane.why = f"it did not come to its end: {error}"

    def _stop(self) -> None:
        """Ends all runs in good order: asks all to end, then waits for each."""
        waited_for = [lane for lane in self._lanes if lane.child is not None]
        for lane in waited_for:
            assert lane.child is not None
            try:
                lane.child.tell(False)
            except ChildLost as error:
                self._lose(lane, error)
        for lane in waited_for:
            while lane.child is not None:
                self._next(lane, SILENCE_S)


def _heard(child: Child, within_s: float, meanwhile: Callable[[], None]) -> Any:
    """The child's next message; ``meanwhile`` is called every WATCHED_S. Raises ChildLost as `Child.hear` does."""
    ends_s = time.monotonic() + within_s
    while True:
        try:
            return child.hear(max(min(WATCHED_S, ends_s - time.monotonic()), 0))
        except ChildLost as error:
            if child.speaks:  # it has gone, or has sent something just now
                return child.hear()
            if time.monotonic() >= ends_s:
                raise ChildLost(f"it gave no sign of life for {within_s:g} s") from error
        meanwhile()
