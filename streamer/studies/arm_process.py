"""One run of a study in a process of its own: it runs when it is told, and is blocked between its rounds."""

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
"""What a run that its study has stopped gives as the reason."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """It is ready for its next round."""


@dataclass(frozen=True, slots=True)
class Ended:
    """Its run directory is complete; ``failure`` is what ended it early, if something did."""

    directory: Path
    failure: str | None
    interrupted: bool


def serve(link: Connection, source: str, settings: Settings, study: str, starts: frozenset[int]) -> None:
    """Runs ``source`` in rounds of a ``study`` that begin with the frames ``starts``, each when ``link`` says True.

    Sends Waiting before each, Progress within, and at last Ended, or the StreamerError for which it could not run.
    False on the link ends it in good order.
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
    """Observer and Rounds of the run. A study that has gone says no more; that ends it too."""

    def __init__(self, link: Connection, study: str, starts: frozenset[int]) -> None:
        self.study = study
        self._link = link
        self._starts = starts
        self._stop: Callable[[str], None] = lambda reason: None

    def started(self, stop: Callable[[str], None], notes: list[str]) -> None:
        self._stop = stop

    def progress(self, progress: Progress) -> None:
        if not self._say(progress) or (self._link.poll() and not self._told()):
            self._stop(STOPPED)

    def waits(self, stream: int, frame: int, for_s: float) -> None:
        """Its study has said so, and hears nothing for so long."""

    def begins(self, frame: int) -> bool:
        return frame in self._starts

    def wait(self) -> bool:
        goes_on = self._say(Waiting()) and self._told()
        if not goes_on:
            self._stop(STOPPED)
        return goes_on

    def _say(self, message: Any) -> bool:
        try:
            send(self._link, message)
        except OSError:
            return False
        return True

    def _told(self) -> bool:
        try:
            return bool(self._link.recv())
        except (EOFError, OSError):
            return False
