"""The options of the library by name and type, for type checkers and editors.

`OPTIONS` holds their meaning. A test compares the names of both.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from fractions import Fraction
from os import PathLike
from typing import Literal, TypeAlias, TypedDict

from streamer.detection.input_spec import Fit
from streamer.errors import UsageError
from streamer.pipeline.drop_policy import Policy
from streamer.settings.video import Video
from streamer.sources.access import Transport

PathText: TypeAlias = str | PathLike[str]
"""A path."""
Time: TypeAlias = str | float
"""A time as in ``"90s"``, ``"10m"`` or ``"1h"``, or a number of seconds."""
Size: TypeAlias = str | int
"""A size as in ``"500M"`` or ``"2G"``, or a number of bytes."""
Rate: TypeAlias = Literal["source", "max"] | str | float | Fraction
"""Frames per second, ``"source"`` for the source's own timestamps, ``"max"`` for a closed loop."""


class WhichModel(TypedDict, total=False):
    """The detector."""

    model: PathText | None
    trust: bool


class DetectionOptions(WhichModel, total=False):
    """The detector, and how pictures go into it and objects come out."""

    conf: float
    iou: float
    fit: Fit | Literal["letterbox", "letterbox-top-left", "stretch", "crop"] | None


class DetectorOptions(DetectionOptions, total=False):
    """The options of a `Detector`."""

    engine: str
    warmup: int


class ModelOptions(DetectionOptions, total=False):
    """The detector, and which of a file's videos is played."""

    video_stream: int | None


class PacingOptions(TypedDict, total=False):
    """How frames meet the engine, the objectives, and which video and chart are made."""

    policy: Policy | Literal["drop-oldest", "drop-newest", "wait"] | None
    queue: int
    warmup: int
    deadline: float | None
    slo: str | None
    video: Video | Literal["delivered", "all", "none"]
    chart: bool


class OutOptions(TypedDict, total=False):
    """Where results go."""

    out: PathText | None
    overwrite: bool


class BenchOptions(WhichModel, OutOptions, total=False):
    """The options of `bench`, beside its own."""


class ParityOptions(ModelOptions, OutOptions, total=False):
    """The options of `parity`, beside its own."""


class CameraOptions(ModelOptions, PacingOptions, OutOptions, total=False):
    """A camera, the load and the faults of its run, and what the run does about a failure."""

    engine: str
    streams: int
    fps: Rate
    skip_gaps: bool
    arrivals: PathText | None
    max_age: float | None
    skip_partial: bool
    load: str | Sequence[str]
    stall: Time
    respawn: int
    reconnect: bool
    give_up: Time | None
    source_timeout: Time
    rtsp_transport: Transport | Literal["tcp", "udp"]
    tls_verify: bool
    faults: PathText | None
    duration: Time | None
    segment: Time | None
    keep: Size


class ReplayOptions(CameraOptions, total=False):
    """The options of `replay`."""

    frames: int | None
    loop: bool
    until: str | None


class CompareOptions(ModelOptions, PacingOptions, OutOptions, total=False):
    """The options of `compare`, beside those of its signature: how each engine replays, and where results go."""

    fps: Rate
    skip_gaps: bool
    frames: int | None
    duration: Time | None
    loop: bool


class PaceOptions(ModelOptions, PacingOptions, OutOptions, total=False):
    """The options of `pace`, beside those of its signature: how each engine replays, and where results go."""


def no_such_option(keyword: str, known: Iterable[str]) -> UsageError:
    """The error for a name that no option has. It suggests the option with the nearest name, if one is near."""
    near = get_close_matches(keyword, known := list(known), 1)
    mend = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(known))}"
    return UsageError(f"no option is called {keyword}: {mend}")
