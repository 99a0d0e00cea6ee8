"""Settings as JSON holds them, and from values as JSON or the command line has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from fractions import Fraction
from typing import Any

from streamer.settings.settings import OPTIONS, Settings


def settings_as_json(settings: Settings) -> dict[str, Any]:
    """What was asked, without where results go; rates are texts such as 30000/1001."""
    return {
        name: str(value) if isinstance(value, Fraction) else value
        for name, value in asdict(settings).items()
        if OPTIONS[name].kept
    }


def settings_of(found: Mapping[str, Any]) -> Settings:
    """The settings of values as JSON or the command line has them, by their fields; others have their defaults.

    Raises UsageError, in the words of the command line, for what they cannot be.
    """
    return replace(Settings(), **found)
