"""Settings as JSON and back: what a study needs to go on later as it was begun."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from fractions import Fraction
from typing import Any

from streamer.detection.preprocess import Fit
from streamer.pipeline.link import Policy
from streamer.schedule.schedule import parse_fps
from streamer.settings import Settings, Video

NOT_KEPT = ("out", "overwrite")
"""Where results go is not part of what is asked."""


def settings_as_json(settings: Settings) -> dict[str, Any]:
    """What was asked; rates are texts such as 30000/1001."""
    return {
        name: str(value) if isinstance(value, Fraction) else value
        for name, value in asdict(settings).items()
        if name not in NOT_KEPT
    }


def settings_of_json(found: Mapping[str, Any]) -> Settings:
    """The settings again. Raises UsageError, ValueError or TypeError for what they cannot have been."""
    policy = found["policy"]
    return Settings(
        **{
            **found,
            "fps": parse_fps(str(found["fps"])),
            "policy": None if policy is None else Policy(policy),
            "load": tuple(found["load"]),
            "fit": Fit(found["fit"]),
            "video": Video(found["video"]),
        }
    )
