"""What an error says to who calls the library: ``max_age`` where the command line has ``--max-age``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from streamer.errors import StreamerError

_COMMAND = r"'?streamer [a-z]+ [^;,:]*"
_OPTION = r"--(?P<no>no-)?(?P<name>[a-z][a-z0-9]*(?:-[a-z0-9]+)*)"
_TOLD = re.compile(rf"(?P<command>{_COMMAND})|(?<![\w-]){_OPTION}")
SWITCHES = {"overwrite", "loop", "trust", "skip_gaps", "skip_partial", "reconnect", "chart", "tls_verify"}
"""Options that are on or off: to give one is to say which."""


def library_words(message: str) -> str:
    """The message with options as they are called in Python; command lines that are quoted in it stay."""
    return _TOLD.sub(_told, message)


def _told(found: re.Match[str]) -> str:
    if found["command"]:
        return found["command"]
    name = found["name"].replace("-", "_")
    if found["no"]:
        return f"{name}=False"
    return f"{name}=True" if name in SWITCHES else name


@contextmanager
def in_library_words() -> Iterator[None]:
    """An error that is raised within says it in the words of the library."""
    try:
        yield
    except StreamerError as error:
        error.args = (library_words(str(error)), *error.args[1:])
        raise
