"""Error messages in the words of the library: ``max_age`` where the command line has ``--max-age``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from streamer.errors import StreamerError

_COMMAND = r"'?streamer [a-z]+ [^;,:]*"
_OPTION = r"--(?P<no>no-)?(?P<name>[a-z][a-z0-9]*(?:-[a-z0-9]+)*)"
_QUOTED = re.compile(rf"(?P<command>{_COMMAND})|(?<![\w-]){_OPTION}")
SWITCHES = {"overwrite", "loop", "trust", "skip_gaps", "skip_partial", "reconnect", "chart", "tls_verify"}
"""Options that are on or off: in Python ``--loop`` is ``loop=True``."""


def library_words(message: str) -> str:
    """The message with the Python names of options; command lines that are quoted in it stay."""
    return _QUOTED.sub(_in_python, message)


def _in_python(found: re.Match[str]) -> str:
    if found["command"]:
        return found["command"]
    name = found["name"].replace("-", "_")
    if found["no"]:
        return f"{name}=False"
    return f"{name}=True" if name in SWITCHES else name


@contextmanager
def in_library_words() -> Iterator[None]:
    """Rewrites the message of a StreamerError that is raised within."""
    try:
        yield
    except StreamerError as error:
        error.args = (library_words(str(error)), *error.args[1:])
        raise
