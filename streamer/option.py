"""What an option's row holds: name, metavar, help, default and range, as plain data. The rows are in `Settings`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeVar

from streamer.errors import UsageError

T = TypeVar("T")


class Group(Enum):
    """Options that a command offers together; a row that is added to one is offered wherever the group is."""

    MODEL = "the detector"
    PACING = "how frames meet the engine, and what is asked of that"
    FRESHNESS = "when frames arrive, and which are no longer worth an inference"
    LENGTH = "how long a run is"
    ENDURANCE = "what a run has to bear, and what becomes of it when something in it fails"
    DETECTION = "how a frame goes into the model, and what is kept of what comes out"


@dataclass(frozen=True, slots=True)
class Range:
    """The values that an option takes: ``text`` says which, ``holds`` whether a value is one of them."""

    text: str
    holds: Callable[[Any], bool]


FROM_0 = Range("0 or more", lambda value: value >= 0)
FROM_1 = Range("1 or more", lambda value: value >= 1)
ABOVE_0 = Range("a number above 0", lambda value: 0 < value < float("inf"))
SHARE = Range("a number above 0 and up to 1", lambda value: 0 < value <= 1)
RATE = Range("'source', 'max' or frames per second above 0", lambda fps: isinstance(fps, str) or fps > 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """An option's row.

    ``usage`` is its flag and its metavar, as in ``--max-age MS``, or both flags of a switch; without a metavar it is
    a switch or a choice. ``default_text`` is the default as it is typed; of a default that is None, what that stands
    for. ``read`` makes the value from its text, and raises UsageError (None: it is a text); a StrEnum is a choice.
    ``check`` raises UsageError for a value that ``range`` cannot describe. ``kept`` is whether a soak that goes on
    takes it over.
    """

    usage: str
    help: str
    default: Any
    default_text: str | None = None
    group: Group | None = None
    read: Callable[[str], Any] | None = None
    range: Range | None = None
    check: Callable[[Any], object] | None = None
    kept: bool = True

    @property
    def flag(self) -> str:
        """As in ``--max-age`` or ``--reconnect/--no-reconnect``."""
        return self.usage.partition(" ")[0]

    @property
    def metavar(self) -> str | None:
        """What stands for the value in the help."""
        return self.usage.partition(" ")[2] or None

    def refuse(self, value: Any) -> None:
        """Raises UsageError for a value that it does not take."""
        if value is None:
            return
        if self.range is not None and not self.range.holds(value):
            raise UsageError(f"{self.flag} {value}: give {self.range.text}")
        if self.check is not None:
            self.check(value)


def option(default: T, usage: str, text: str, group: Group | None = None, **more: Any) -> T:
    """A field of `Settings` with its row, which is under ``option`` in the field's metadata."""
    row = Option(usage=usage, help=text, default=default, group=group, **more)
    return field(default=default, metadata={"option": row})
