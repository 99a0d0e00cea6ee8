"""Reads the options that a function of the library is given, by their rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from streamer.settings.keywords import no_such_option
from streamer.settings.option import Option
from streamer.settings.settings import Settings


def given_settings(options: Mapping[str, Any], known: type, beside: Iterable[str]) -> Settings:
    """The settings of a study; its options are those of the typed dictionary ``known``.

    ``beside`` names its other options, for the message. Raises UsageError for a name that is no option of the study,
    and for a value that an option does not take.
    """
    for unknown in options.keys() - known.__annotations__.keys():
        raise no_such_option(unknown, [*known.__annotations__, *beside])
    return Settings(**options)


def given_values(rows: Mapping[str, Option], given: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a study's own options by field; ``given`` has them by keyword. Raises UsageError."""
    return {name: row.value_of(given[row.keyword]) for name, row in rows.items()}
