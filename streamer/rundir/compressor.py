"""Compresses finished segments of tables in a process of its own, so that the run's figures do not show it."""

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
"""The niceness of the process."""


class Compressor:
    """Compresses files, one after the other, in a process that lasts as long as the run."""

    def __init__(self) -> None:
        self._child: Child | None = None
        self._idle = True
        self._plain: list[Path] = []

    def start(self) -> Child:
        """Starts the process, if there is none. Raises SinkError when it cannot be started."""
        if self._child is None:
            try:
                self._child, self._idle = Child(compress), True
            except StreamerError as error:
                raise SinkError(f"segments cannot be compressed: {error}") from error
        return self._child

    def take(self, files: Sequence[Path]) -> None:
        """Compresses more files. Does not wait: files for which it has no time now are compressed with the next ones.

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
        """Compresses the remaining files in this process; blocks, and may be called again."""
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
    """The work of the process: compresses the files whose paths arrive, and answers when these are done."""
    with suppress(AttributeError, OSError):
        os.nice(LEAST_URGENT)
    while True:
        for path in link.recv():
            compress_file(path)
        send(link, None)


def compress_file(path: str) -> None:
    """Replaces a file by its compressed form; leaves it as it is when it has gone, or there is no space."""
    scratch = f"{path}.writing"
    try:
        with open(path, "rb") as plain, gzip.open(scratch, "wb", compresslevel=6) as packed:
            shutil.copyfileobj(plain, packed)
        os.replace(scratch, f"{path}.gz")
        os.unlink(path)
    except OSError:
        with suppress(OSError):
            os.unlink(scratch)
