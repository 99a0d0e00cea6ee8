"""Settings as JSON holds them, and from values as JSON or the command line has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from fractions import Fraction
from typing import Any

from streamer.settings import OPTIONS, Settings


def settings_as_json(settings: Settings) -> dict[str, Any]:
    """What was asked, without where results go; rates are texts such as 30000/1001."""
    return {
        name: str(value) if isinstance(value, Fraction) else value
        for name, value in asdict(settings).items()
        if OPTIONS[name].kept
    }


def settings_of(found: Mapping[str, Any]) -> Settings:
    """The settings of values as JSON or the command line has them; what is not found has its default.

    Raises UsageError, ValueError or TypeError for what they cannot be.
    """
    return Settings(**{name: _value_of(name, value) for name, value in found.items()})


def _value_of(name: str, found: Any) -> Any:
    if isinstance(found, list):
        return tuple(found)
    read = OPTIONS[name].read if name in OPTIONS else None
    return read(found) if read is not None and isinstance(found, str) else found
