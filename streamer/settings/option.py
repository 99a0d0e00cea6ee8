"""The row of an option: name, metavar, help, default and range, as plain data. The rows are in `Settings`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import Enum, StrEnum
from numbers import Real
from pathlib import Path
from typing import Any, TypeVar

from streamer.errors import UsageError

T = TypeVar("T")


def _text_of(given: Any, *, numbers: bool) -> str | None:
    """The text of a str, a path or, with ``numbers``, a number; None for anything else."""
    if isinstance(given, os.PathLike):
        given = os.fspath(given)
    if isinstance(given, str):
        return given
    if isinstance(given, bool) or not isinstance(given, Real):
        return None
    return str(given) if numbers else None


class Group(Enum):
    """Options that a command offers together; a row that is added to one is offered wherever the group is."""

    MODEL = "the detector"
    PACING = "how frames meet the engine, and the objectives"
    FRESHNESS = "when frames arrive, and which are no longer worth an inference"
    LENGTH = "how long a run is"
    ENDURANCE = "the load and the faults of a run, and what it does about a failure"
    DETECTION = "how a frame goes into the model, and what is kept of what comes out"


@dataclass(frozen=True, slots=True)
class Range:
    """The values that an option takes: ``text`` describes them, ``holds`` tests a value."""

    text: str
    holds: Callable[[Any], bool]


FROM_0 = Range("0 or more", lambda value: value >= 0)
FROM_1 = Range("1 or more", lambda value: value >= 1)
ABOVE_0 = Range("a number above 0", lambda value: 0 < value < float("inf"))
SHARE = Range("a number above 0 and up to 1", lambda value: 0 < value <= 1)
ANY_SHARE = Range("a share from 0 to 1", lambda value: 0 <= value <= 1)
RATE = Range("'source', 'max' or frames per second above 0", lambda fps: isinstance(fps, str) or fps > 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """An option's row.

    ``usage`` is its flag and its metavar, as in ``--max-age MS``, or both flags of a switch; without a metavar it is
    a switch or a choice. ``default_text`` is the default as it is typed, or the meaning of the default None. ``read``
    makes the value from its text, and raises UsageError; without it the value is a text, and a StrEnum makes it a
    choice. ``check`` raises UsageError for a value that ``range`` cannot describe. A soak that goes on takes over the
    options that are ``kept``.
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
    def keyword(self) -> str:
        """Its name in the library, as in ``max_age`` or ``reconnect``."""
        return self.flag.partition("/")[0].removeprefix("--").replace("-", "_")

    @property
    def metavar(self) -> str | None:
        """The placeholder of the value in the help; None for a switch or a choice."""
        return self.usage.partition(" ")[2] or None

    def value_of(self, given: Any) -> Any:
        """The value of its text, of a number in the unit of the field, or of the value itself.

        Raises UsageError for what is no value at all. The range is checked by `refuse`.
        """
        if given is None and self.default is None:
            return None
        if isinstance(self.default, bool):
            if isinstance(given, bool):
                return given
            raise self._wrong(given, "give True or False")
        if isinstance(self.default, tuple):
            texts = (given,) if isinstance(given, str) else given
            if isinstance(texts, Sequence) and all(isinstance(text, str) for text in texts):
                return tuple(texts)
            raise self._wrong(given, "give a text, or several")
        text = _text_of(given, numbers=self.read is not None)
        if text is None:
            raise self._wrong(given, f"give {self._takes}")
        if self.read is Path and not text:  # to Python it would be the current directory
            raise UsageError(f"{self.flag} is empty: give a path")
        return text if self.read is None else self._read(self.read, text)

    def _read(self, read: Callable[[str], Any], text: str) -> Any:
        if read is Path and not text:  # to Python it would be the current directory
            raise UsageError(f"{self.flag} is empty: give a path")
        try:
            return read(text)
        except UsageError as error:
            raise error if str(error).startswith(self.flag) else UsageError(f"{self.flag}: {error}") from error
        except ValueError as error:
            raise self._wrong(text, f"give {self._takes}") from error

    @property
    def _takes(self) -> str:
        """The values that it takes, for the end of a sentence."""
        if isinstance(self.read, type) and issubclass(self.read, StrEnum):
            return ", ".join(repr(choice.value) for choice in self.read)
        if self.range is None:
            return f"a text, as in {self.usage}"
        return f"a whole number, {self.range.text}" if self.read is int else self.range.text

    def _wrong(self, given: Any, mend: str) -> UsageError:
        shown = given if isinstance(given, str | Real) else type(given).__name__
        name = self.keyword if isinstance(self.default, bool) else self.flag  # the flag of a switch takes no value
        return UsageError(f"{name} {shown}: {mend}")

    def refuse(self, value: Any) -> None:
        """Raises UsageError for a value that the option does not take."""
        if value is None:
            return
        if self.range is not None and not self.range.holds(value):
            raise UsageError(f"{self.flag} {value}: give {self.range.text}")
        if self.check is not None:
            self.check(value)


def rows_of(settings: type) -> Mapping[str, Option]:
    """The rows of a dataclass, by its fields."""
    return {one.name: one.metadata["option"] for one in fields(settings) if "option" in one.metadata}


def option(default: T, usage: str, text: str, group: Group | None = None, **more: Any) -> T:
    """A field of `Settings`, or of a study's own, with its row, which is under ``option`` in the field's metadata."""
    row = Option(usage=usage, help=text, default=default, group=group, **more)
    return field(default=default, metadata={"option": row})
