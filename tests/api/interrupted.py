"""A program that calls a function of the library and is interrupted by its own observer, in a process of its own.

``python -m tests.api.interrupted FUNCTION SOURCE OPTIONS WHEN``: OPTIONS as JSON; WHEN is ``opening``, ``twice2`` or
``2``, for so many rounds. It prints what came out, as JSON.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from itertools import count
from threading import Event
from types import FrameType

import streamer
from tests.api.calls import children


class Interrupting:
    """An observer that sends SIGINT to its own process, once or twice."""

    def __init__(self, when: str) -> None:
        self._when = when
        self._calls = count()
        self._heard = Event()
        self._sent = False
        signal.signal(signal.SIGINT, self._hear)

    def __call__(self, progress: streamer.Progress) -> None:
        call = next(self._calls)
        # The first call comes before an engine is opened, the second while it is.
        due = call == 1 if self._when == "opening" else progress.done >= int(self._when.removeprefix("twice"))
        if due and not self._sent:
            self._sent = True
            os.kill(os.getpid(), signal.SIGINT)
            self._heard.wait()
            if self._when.startswith("twice"):
                os.kill(os.getpid(), signal.SIGINT)
                Event().wait()  # a study that cannot hear

    def _hear(self, number: int, frame: FrameType | None) -> None:
        self._heard.set()
        signal.default_int_handler(number, frame)


def main() -> None:
    name, source, options, when = sys.argv[1:]
    try:
        found = getattr(streamer, name)(source, observer=Interrupting(when), **json.loads(options))
    except KeyboardInterrupt:
        left = sorted(children())
        print(json.dumps({"raised": "KeyboardInterrupt", "children": left}))
    else:
        print(json.dumps({"interrupted": found.interrupted, "document": found.document}))


if __name__ == "__main__":
    main()
