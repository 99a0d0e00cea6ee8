"""The one tree of errors.

::

    StreamerError            exit code 1: it could not run, or failed during the run
    ├── UsageError           exit code 2: an unknown name or value, no such file, a directory in use
    │   └── UntrustedModel       a .pt that the user has not trusted: it may run code
    ├── SourceError          the source cannot be opened or read
    │   └── NoSource             nor later: there is no video, or this user may not see it
    ├── ModelError           the model file is missing, broken or not a detector
    ├── EngineError          the engine failed to compile or to infer
    │   ├── EngineLost           the engine's process has ended, or does not answer
    │   └── EngineUnavailable    this variant cannot run here, and why
    ├── SinkError            the video or a table cannot be written
    ├── CacheError           the user's cache cannot be written
    ├── LibraryMissing       a library that streamer depends on cannot be loaded
    └── Defect               an error that nobody raised on purpose: streamer's own, or a library's

Each message is one line: what is wrong, and how to mend it. The library raises these and never prints; the command
line turns them into exit codes. A vendor's error is mapped to one of these where it is raised, and is its
``__cause__``.
"""

from __future__ import annotations


class StreamerError(Exception):
    """The base of all errors of streamer; ``frame`` is the index of the frame it happened at, None without one."""

    exit_code = 1

    def __init__(self, message: str, *, frame: int | None = None) -> None:
        super().__init__(one_line(message))
        self.frame = frame


class UsageError(StreamerError):
    """The request makes no sense: an unknown name or value, no such file, a directory in use."""

    exit_code = 2


class UntrustedModel(UsageError):
    """A .pt file that is neither bundled, nor pulled, nor trusted by the user; loading it may run code."""


class SourceError(StreamerError):
    """The source cannot be opened or read."""


class NoSource(SourceError):
    """The address has no video that can be played, or none that this user may see: waiting does not help."""


class ModelError(StreamerError):
    """The model file is missing, broken or not a detector."""


class EngineError(StreamerError):
    """The engine failed to compile or to infer."""


class EngineLost(EngineError):
    """The process of an engine has ended, or no longer answers."""


class EngineUnavailable(EngineError):
    """This variant cannot run here; the message says why and what to use instead."""


class SinkError(StreamerError):
    """The annotated video or a table of the run directory cannot be written."""


class CacheError(StreamerError):
    """The user's cache cannot be written, and the file has no other place."""


class LibraryMissing(StreamerError):
    """A library that streamer depends on cannot be loaded; the message names it and the mend."""


class Defect(StreamerError):
    """An error that nobody raised on purpose, its ``__cause__``: a bug of streamer, or a library that changed."""


def one_line(message: str) -> str:
    """The message as one line, with each run of white space as one blank: vendors' errors span many lines."""
    return " ".join(message.split())
