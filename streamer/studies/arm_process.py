"""One run of a study in a process of its own: it runs in its rounds, and is blocked between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from streamer.errors import StreamerError
from streamer.pipeline.housekeeping import Progress
from streamer.run.run import run
from streamer.settings.settings import Settings
from streamer.workers.event_loop import run_in_loop
from streamer.workers.processes import send

STOPPED = "SIGTERM"
"""The reason that a run gives when its study has stopped it."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """The run is ready for its next round."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The run directory is complete; ``failure`` is what ended the run early, if something did."""

    directory: Path
    failure: str | None
    interrupted: bool


def serve(link: Connection, source: str, settings: Settings, study: str, starts: frozenset[int]) -> None:
    """Runs ``source`` in rounds of a ``study`` that begin with the frames ``starts``.

    A round begins when ``link`` receives True. False ends the run in good order. Sends Waiting before each round,
    Progress within, and at last Ended, or the StreamerError for which it could not run.
    """
    turns = _Turns(link, study, starts)
    try:
        finished = run_in_loop(run, [source], settings, turns, turns)
    except StreamerError as error:
        send(link, error)
        return
    failure = None if finished.failure is None else str(finished.failure)
    send(link, Ended(finished.directory, failure, finished.interrupted is not None))


class _Turns:
    """Observer and Rounds of the run. A study that has gone ends the run too."""

    def __init__(self, link: Connection, study: str, starts: frozenset[int]) -> None:
        self.study = study
        self._link = link
        self._starts = starts
        self._stop: Callable[[str], None] = lambda reason: None

    def started(self, stop: Callable[[str], None], notes: list[str]) -> None:
        self._stop = stop

    def progress(self, progress: Progress) -> None:
        if not self._report(progress) or (self._link.poll() and not self._goes_on()):
            self._stop(STOPPED)

    def waits(self, stream: int, frame: int, for_s: float) -> None:
        """The study knows of the wait, and expects no message for so long."""

    def begins(self, frame: int) -> bool:
        return frame in self._starts

    def wait(self) -> bool:
        goes_on = self._report(Waiting()) and self._goes_on()
        if not goes_on:
            self._stop(STOPPED)
        return goes_on

    def _report(self, message: Any) -> bool:
        try:
            send(self._link, message)
        except OSError:
            return False
        return True

    def _goes_on(self) -> bool:
        try:
            return bool(self._link.recv())
        except (EOFError, OSError):
            return False
