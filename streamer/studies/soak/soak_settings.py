"""The settings of a soak: the options of a replay, and two of its own, a row each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from streamer.errors import UsageError
from streamer.settings.keywords import CameraOptions, Time, no_such_option
from streamer.settings.option import ABOVE_0, Option
from streamer.settings.settings import Settings
from streamer.units import parse_duration, parse_size

WINDOW = Option(
    usage="--window TIME",
    help="The length of a window, which has a line and a row of windows.csv.",
    default=60.0,
    default_text="60s",
    read=parse_duration,
    range=ABOVE_0,
)
CANARY = Option(
    usage="--canary TIME",
    help="How often the canary frame is inferred.",
    default=60.0,
    default_text="60s",
    read=parse_duration,
    range=ABOVE_0,
)
SEGMENT, KEEP = "10m", "1G"
"""The defaults of ``--segment`` and ``--keep`` in a soak."""
OTHERWISE = {"segment_s": parse_duration(SEGMENT), "keep_bytes": parse_size(KEEP)}


class SoakOptions(CameraOptions, total=False):
    """The options of `soak`."""

    window: Time
    canary: Time


@dataclass(frozen=True, slots=True)
class SoakSettings:
    """``replay`` holds the settings of each part, and the duration of all parts together.

    Raises UsageError for a duration that is missing, a closed loop, and times out of range.
    """

    replay: Settings
    window_s: float = WINDOW.default
    canary_every_s: float = CANARY.default

    def __post_init__(self) -> None:
        WINDOW.refuse(self.window_s)
        CANARY.refuse(self.canary_every_s)
        if self.replay.duration_s is None:
            raise UsageError("--duration: say how long the soak is to last, as in 2h")
        if self.replay.fps == "max":
            raise UsageError("--fps max: a soak is of a camera; give its rate, or leave it out")


def given_soak_settings(options: Mapping[str, Any]) -> SoakSettings:
    """The settings from options with the names and values of the command line. Raises UsageError."""
    known = SoakOptions.__optional_keys__
    for unknown in options.keys() - known:
        raise no_such_option(unknown, known)
    own = {WINDOW.keyword: WINDOW, CANARY.keyword: CANARY}
    window_s, canary_every_s = (row.value_of(options.get(name, row.default)) for name, row in own.items())
    replay = Settings(**{"segment": SEGMENT, "keep": KEEP, **{n: v for n, v in options.items() if n not in own}})
    return SoakSettings(replay, window_s, canary_every_s)
