"""What a soak is asked to do: the options of a replay that it takes, and two of its own, a row each."""

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
    help="A line and a row of windows.csv for each of these.",
    default=60.0,
    default_text="60s",
    read=parse_duration,
    range=ABOVE_0,
)
CANARY = Option(
    usage="--canary TIME",
    help="How often the golden frame is looked at.",
    default=60.0,
    default_text="60s",
    read=parse_duration,
    range=ABOVE_0,
)
SEGMENT, KEEP = "10m", "1G"
"""What ``--segment`` and ``--keep`` are of a soak, where nothing else is asked."""
OTHERWISE = {"segment_s": parse_duration(SEGMENT), "keep_bytes": parse_size(KEEP)}


class SoakOptions(CameraOptions, total=False):
    """The options of `soak`."""

    window: Time
    canary: Time


@dataclass(frozen=True, slots=True)
class SoakSettings:
    """``replay`` is how it is run, its duration that of all parts together."""

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
    """The settings of options by the names and in the words of the command line. Raises UsageError."""
    known = SoakOptions.__optional_keys__
    for unknown in options.keys() - known:
        raise no_such_option(unknown, known)
    own = {WINDOW.keyword: WINDOW, CANARY.keyword: CANARY}
    window_s, canary_every_s = (row.value_of(options.get(name, row.default)) for name, row in own.items())
    replay = Settings(**{"segment": SEGMENT, "keep": KEEP, **{n: v for n, v in options.items() if n not in own}})
    return SoakSettings(replay, window_s, canary_every_s)
