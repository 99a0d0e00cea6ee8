"""The facts of a run that are known before its first frame: its model, engine, machine and options."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NotRequired, TypedDict

from streamer import __version__
from streamer.faults.trigger import FaultPart
from streamer.machine.info import MachinePart, this_machine
from streamer.machine.load import LoadPart
from streamer.run.notes import notes
from streamer.run.resources import Opened
from streamer.run.setup_parts import (
    EnginePart,
    ModelPart,
    SourcePart,
    StreamPart,
    engine_part,
    model_part,
    source_part,
    streams_part,
)
from streamer.schedule.schedule import Schedule
from streamer.settings.settings import Settings
from streamer.vendors.versions import versions

SCHEMA_VERSION = 2
"""From 2 on there is a ``document_sha256``, and ``duration_s`` goes to the last stamp of ``frames.csv``."""


class RoundPart(TypedDict):
    """A round: its first frame, and when that was due, in milliseconds of the run."""

    frame: int
    start_ms: float


def rounds_part(rounds: Sequence[tuple[int, int]] | None) -> list[RoundPart] | None:
    """The ``rounds`` of the manifest, from their first frames and when those were due in microseconds of the run."""
    return None if rounds is None else [{"frame": frame, "start_ms": us / 1000} for frame, us in rounds]


class RunPart(TypedDict):
    """The ``run``: what was asked for, with its defaults worked out, how long it took, and its rounds, if any.

    ``fps`` is ``max`` or a rate, as a fraction where it is no whole number. ``*_ms`` are milliseconds, ``*_s``
    seconds. ``deadline_asked_ms`` is null where the deadline is a frame period. ``percentiles`` are exact, or of a
    histogram. ``study`` names the study whose rounds it ran in. ``duration_s`` is the last stamp in ``frames.csv``.
    """

    fps: str
    video_stream: NotRequired[int | None]
    schedule: str
    skip_gaps: NotRequired[bool]
    closed_loop: bool
    policy: str
    queue: int
    arrivals: str | None
    max_age_ms: float | None
    skip_partial: bool
    until: str | None
    slo: str | None
    percentiles: str
    deadline_ms: float | None
    deadline_asked_ms: NotRequired[float | None]
    warmup: int
    warmup_ms: float
    video: str
    confidence: float
    iou: float
    fit: str
    loop: bool
    give_up_s: float | None
    source_timeout_s: NotRequired[float]
    rtsp_transport: NotRequired[str]
    tls_verify: NotRequired[bool]
    study: str | None
    rounds: list[RoundPart] | None
    garbage_collection: str
    started: str
    duration_s: float


def run_part(opened: Opened, deadline_us: int | None) -> RunPart:
    """The ``run`` of the manifest, before its first frame."""
    settings, schedule = opened.settings, opened.cameras[0].schedule
    return {
        "fps": "max" if schedule.closed_loop else str(schedule.rate),
        "video_stream": settings.video_stream,
        "schedule": settings.pace if isinstance(settings.pace, str) else "fps",
        "skip_gaps": settings.skip_gaps,
        "closed_loop": schedule.closed_loop,
        "policy": settings.effective_policy.value,
        "queue": 0 if schedule.closed_loop else settings.queue,
        "arrivals": None if schedule.arrivals is None else schedule.arrivals.text,
        "max_age_ms": settings.max_age_ms,
        "skip_partial": settings.skip_partial,
        "until": settings.until,
        "slo": settings.slo,
        "percentiles": "exact",
        "deadline_ms": None if deadline_us is None else deadline_us / 1000,
        "deadline_asked_ms": settings.deadline_ms,
        "warmup": settings.warmup,
        "warmup_ms": opened.timings.warmup_ms,
        "video": settings.video.value,
        "confidence": settings.confidence,
        "iou": settings.iou,
        "fit": opened.model.input_with(settings.fit).fit.value,
        "loop": settings.loop,
        "give_up_s": None if settings.give_up_us is None else settings.give_up_us / 1_000_000,
        "source_timeout_s": settings.source_timeout_s,
        "rtsp_transport": settings.rtsp_transport.value,
        "tls_verify": settings.tls_verify,
        "study": None,
        "rounds": None,
        "garbage_collection": "frozen after warm-up, then only between frames",
        "started": opened.started.isoformat(timespec="milliseconds"),
        "duration_s": 0.0,
    }


class Setup(TypedDict):
    """The facts of a run that are known before its first frame; a repair reads them from the run's directory.

    A new field must be NotRequired: runs that an older streamer began are repaired without it.
    """

    schema_version: int
    streamer: str
    notes: list[str]
    source: SourcePart
    streams: list[StreamPart]
    model: ModelPart
    engine: EnginePart
    run: RunPart
    load: LoadPart | None
    faults: list[FaultPart] | None
    machine: MachinePart
    versions: dict[str, str]


def setup(opened: Opened, deadline_us: int | None, sha256: str | None) -> Setup:
    """The setup of a run, from engine, load and machine as they are now; ``sha256`` is the first source's."""
    return {
        "schema_version": SCHEMA_VERSION,
        "streamer": __version__,
        "notes": notes(opened),
        "source": source_part(opened.cameras[0].source.info, sha256),
        "streams": streams_part(opened.cameras),
        "model": model_part(opened.model, opened.settings.fit),
        "engine": engine_part(opened.spec, opened.engine, opened.timings),
        "run": run_part(opened, deadline_us),
        "load": None if opened.load is None else opened.load.part(),
        "faults": None if opened.faults is None else opened.faults.part(),
        "machine": this_machine().as_dict(),
        "versions": versions(),
    }


def stream_rates(known: Setup) -> list[Fraction]:
    """The requested frames a second of each stream; none in a closed loop."""
    run = known["run"]
    if run["closed_loop"]:
        return []
    return [Fraction(stream["fps"] if run["schedule"] == "source" else run["fps"]) for stream in known["streams"]]


def nominal_deadline_us(settings: Settings, schedules: Sequence[Schedule]) -> int | None:
    """The effective deadline in us: the requested one, else the shortest frame period; None in a closed loop."""
    if settings.deadline_ms is not None:
        return round(settings.deadline_ms * 1000)
    if schedules[0].closed_loop:
        return None
    return round(Fraction(1_000_000) / max(schedule.rate for schedule in schedules))
