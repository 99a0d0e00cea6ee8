"""The one tree of errors.

::

    StreamerError            exit code 1: it could not run, or failed on the way
    ├── UsageError           exit code 2: what was asked for makes no sense
    │   └── UntrustedModel       a .pt that nobody has said to trust: it may run code
    ├── SourceError          the source cannot be opened or read
    │   └── NoSource             and never will: what is there is no video, or not to be seen by this user
    ├── ModelError           the model file is missing, broken or not a detector
    ├── EngineError          the engine failed on a frame
    │   └── EngineUnavailable    this variant cannot run here, and why
    ├── SinkError            the video or a table cannot be written
    ├── CacheError           the user's cache cannot be written
    ├── LibraryMissing       a library that streamer depends on cannot be loaded
    └── Defect               an error that nobody raised on purpose: streamer's own, or a library's

Each message is one line that names the thing and the mend. The library raises these and never prints;
the command line turns them into exit codes. Errors of vendors are mapped to these where they come up, with
the vendor's error as ``__cause__``.
"""

from __future__ import annotations


class StreamerError(Exception):
    """Base of all errors that streamer raises on purpose; ``frame`` is the frame it happened at, if any."""

    exit_code = 1

    def __init__(self, message: str, *, frame: int | None = None) -> None:
        super().__init__(one_line(message))
        self.frame = frame


class UsageError(StreamerError):
    """What was asked for makes no sense: an unknown name or value, no such file, a directory in use."""

    exit_code = 2


class UntrustedModel(UsageError):
    """A .pt file that is neither bundled, nor pulled, nor trusted by the user; loading it may run code."""


class SourceError(StreamerError):
    """The source cannot be opened or read."""


class NoSource(SourceError):
    """What is at an address is no video that can be played, or not to be seen by this user: waiting does not help."""


class ModelError(StreamerError):
    """The model file is missing, broken or not a detector."""


class EngineError(StreamerError):
    """The engine failed to compile or to infer."""


class EngineLost(EngineError):
    """The process of an engine has ended, or does not answer any more."""


class EngineUnavailable(EngineError):
    """This variant cannot run here; the message says why and what to use instead."""


class SinkError(StreamerError):
    """The annotated video or a table of the run directory cannot be written."""


class CacheError(StreamerError):
    """The user's cache cannot be written, and what was to be kept there has no other place."""


class LibraryMissing(StreamerError):
    """A library that streamer depends on cannot be loaded; the message names it and the mend."""


class Defect(StreamerError):
    """An error that nobody raised on purpose, which is the cause: streamer's own fault, or a library that changed."""


def one_line(message: str) -> str:
    """The message with its line breaks and runs of white space folded: vendors' errors span many lines."""
    return " ".join(message.split())
