"""Finished pieces of tables are compressed in a process of its own, which is not to be seen in what is measured."""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

from streamer.errors import SinkError, StreamerError
from streamer.workers.processes import Child, ChildLost, send

LEAST_URGENT = 19
"""Its niceness."""


class Compressor:
    """Compresses the files that it is given, one after the other, in a process that lasts as long as the run."""

    def __init__(self) -> None:
        self._child: Child | None = None
        self._idle = True
        self._plain: list[Path] = []

    def start(self) -> Child:
        """Starts the process, if it is not there. Raises SinkError when the system does not let it."""
        if self._child is None:
            try:
                self._child, self._idle = Child(compress), True
            except StreamerError as error:
                raise SinkError(f"pieces cannot be compressed: {error}") from error
        return self._child

    def take(self, files: Sequence[Path]) -> None:
        """Takes more files. What it has no time for now it does with the next ones: nobody ever waits for it.

        Raises SinkError.
        """
        self._plain = [path for path in (*self._plain, *files) if path.exists()]
        child = self.start()
        try:
            if not self._idle and child.speaks:
                child.hear()
                self._idle = True
            if self._idle and self._plain:
                child.tell([str(path) for path in self._plain])
                self._idle = False
        except ChildLost:
            self.give_up()

    def finish(self) -> None:
        """Compresses what is not yet, here and at once; may be called again."""
        self.give_up()
        for path in self._plain:
            compress_file(str(path))
        self._plain = []

    def give_up(self) -> None:
        """Ends the process; may be called again."""
        if self._child is not None:
            self._child.kill()
            self._child = None


def compress(link: Connection) -> None:
    """In a process of its own: compresses the files whose paths come in, and says so when it is done with these."""
    with suppress(AttributeError, OSError):
        os.nice(LEAST_URGENT)
    while True:
        for path in link.recv():
            compress_file(path)
        send(link, None)


def compress_file(path: str) -> None:
    """Compresses a file and removes what it was; one that has gone, or that finds no room, is left as it is."""
    scratch = f"{path}.writing"
    try:
        with open(path, "rb") as plain, gzip.open(scratch, "wb", compresslevel=6) as packed:
            shutil.copyfileobj(plain, packed)
        os.replace(scratch, f"{path}.gz")
        os.unlink(path)
    except OSError:
        with suppress(OSError):
            os.unlink(scratch)
