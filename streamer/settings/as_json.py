"""Settings to JSON, and settings from the values of JSON or of the command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from fractions import Fraction
from typing import Any

from streamer.settings.settings import OPTIONS, Settings


def settings_as_json(settings: Settings) -> dict[str, Any]:
    """The settings by field, without where results go; rates are texts such as 30000/1001."""
    return {
        name: str(value) if isinstance(value, Fraction) else value
        for name, value in asdict(settings).items()
        if OPTIONS[name].kept
    }


def settings_of(found: Mapping[str, Any]) -> Settings:
    """The settings of the values of JSON or of the command line, by field; fields that are missing have defaults.

    Raises UsageError, in the words of the command line, for a value that an option does not take.
    """
    return replace(Settings(), **found)
