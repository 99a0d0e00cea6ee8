"""What a replay is asked to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Any

from streamer.detection.preprocess import Fit
from streamer.errors import UsageError
from streamer.machine.load import parse_load
from streamer.pipeline.checks import check_closed_loop, check_give_up
from streamer.pipeline.drop_policy import Freshness, Policy
from streamer.schedule.schedule import Limits, Pace, parse_fps
from streamer.stats.percentiles import PERCENTILES, frames_needed, parse_percentile
from streamer.stats.slo import Objective, parse_slo

GIVE_UP_S = 60.0
"""Seconds without a frame after which a live source is given up, if nothing else is asked."""


class Video(StrEnum):
    """Which frames the annotated video shows."""

    DELIVERED = "delivered"
    ALL = "all"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of a replay, with the defaults of ``streamer replay``.

    ``engine`` is a SPEC, ``model`` a name or a path (None: the bundled one); ``trust`` allows a .pt that is neither
    bundled nor pulled to be loaded, which may run code. ``fps`` is frames per second, ``source`` or ``max``.
    ``policy`` None means drop-oldest, or wait for a closed loop; ``queue`` is the room of the link before the engine.
    ``arrivals`` is a model or a CSV file of arrivals; ``max_age_ms`` and ``skip_partial`` say which frames are no
    longer worth an inference. ``until`` is a percentile such as p99.9 that the run goes on for, ``slo`` comparisons
    over the summary. ``deadline_ms`` None means one nominal frame period, and no deadline for a closed loop. ``out``
    None means a new directory below ``runs``. ``streams`` is how many cameras play the source at once. A stage
    that is at one frame for ``stall_s`` is stuck, and ends the run; with ``respawn`` the engine has a process of its
    own, which is replaced so many times instead. With ``reconnect`` a live source that is lost is connected anew,
    until no frame has come for ``give_up_s``; None means 60. ``load`` is what is to be at work beside the run,
    ``faults`` a TOML file with what is to go wrong in it. Every
    ``segment_s`` the files of the run are cut into pieces, of which the oldest go when they take more than
    ``keep_bytes``. Raises UsageError for what makes no sense.
    """

    engine: str = "ir-auto-shared"
    model: str | None = None
    trust: bool = False
    fps: Pace | int = "source"
    policy: Policy | None = None
    queue: int = 1
    arrivals: str | None = None
    max_age_ms: float | None = None
    skip_partial: bool = False
    until: str | None = None
    slo: str | None = None
    frames: int | None = None
    duration_s: float | None = None
    loop: bool = False
    streams: int = 1
    warmup: int = 10
    deadline_ms: float | None = None
    stall_s: float = 5.0
    respawn: int = 0
    reconnect: bool = True
    give_up_s: float | None = None
    load: tuple[str, ...] = ()
    faults: str | None = None
    segment_s: float | None = None
    keep_bytes: int = 1 << 30
    confidence: float = 0.25
    iou: float = 0.5
    fit: Fit = Fit.LETTERBOX
    out: Path | None = None
    overwrite: bool = False
    video: Video = Video.DELIVERED

    def __post_init__(self) -> None:
        for name, least in (("queue", 0), ("warmup", 0), ("frames", 1), ("streams", 1), ("respawn", 0)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise UsageError(f"--{name} {value}: give {least} or more")
        for name, value in (("conf", self.confidence), ("iou", self.iou)):
            if not 0 < value <= 1:
                raise UsageError(f"--{name} {value}: give a number above 0 and up to 1")
        for name, number in (
            ("deadline", self.deadline_ms),
            ("duration", self.duration_s),
            ("max-age", self.max_age_ms),
            ("stall", self.stall_s),
            ("give-up", self.give_up_s),
            ("segment", self.segment_s),
        ):
            if number is not None and not 0 < number < float("inf"):
                raise UsageError(f"--{name} {number}: give a number above 0")
        if isinstance(self.fps, (int, Fraction)) and self.fps <= 0:
            raise UsageError(f"--fps {self.fps}: give 'source', 'max' or frames per second above 0")
        check_closed_loop(
            self.fps,
            policy=self.policy,
            arrivals=self.arrivals,
            max_age_ms=self.max_age_ms,
            skip_partial=self.skip_partial,
        )
        check_give_up(self.give_up_s, reconnect=self.reconnect)
        if self.slo is not None:
            parse_slo(self.slo)
        parse_load(self.load)
        if self.until is not None:
            parse_percentile(self.until)

    @property
    def pace(self) -> Pace:
        """The pace, rates as fractions."""
        return Fraction(self.fps) if isinstance(self.fps, int) else self.fps

    @property
    def freshness(self) -> Freshness:
        """Which frames are no longer worth an inference."""
        max_age_us = None if self.max_age_ms is None else round(self.max_age_ms * 1000)
        return Freshness(max_age_us, self.skip_partial)

    @property
    def limits(self) -> Limits:
        """When the run ends."""
        return Limits(
            self.frames,
            None if self.duration_s is None else round(self.duration_s * 1e6),
            None if self.until is None else frames_needed(PERCENTILES[parse_percentile(self.until)]),
        )

    @property
    def give_up_us(self) -> int | None:
        """After so long without a frame a live source is given up; None: as soon as it is lost."""
        return round((self.give_up_s or GIVE_UP_S) * 1_000_000) if self.reconnect else None

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """The service level objectives."""
        return () if self.slo is None else parse_slo(self.slo)

    @property
    def policy_in_force(self) -> Policy:
        """The policy, with its default worked out."""
        return self.policy or (Policy.WAIT if self.fps == "max" else Policy.DROP_OLDEST)


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
