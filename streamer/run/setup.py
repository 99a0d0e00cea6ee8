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
    """A round of the run."""

    frame: int
    """The number of the round's first frame, from 0."""
    start_ms: float
    """When that frame was due, since the start of the run."""


def rounds_part(rounds: Sequence[tuple[int, int]] | None) -> list[RoundPart] | None:
    """The ``rounds`` of the manifest, from their first frames and when those were due in microseconds of the run."""
    return None if rounds is None else [{"frame": frame, "start_ms": us / 1000} for frame, us in rounds]


class RunPart(TypedDict):
    """The ``run``: what was requested, with its defaults worked out, how long it took, and its rounds, if any."""

    fps: str
    """The first stream's frame rate: ``max`` in a closed loop, else frames per second, as a fraction where that is no
    whole number (``30000/1001``). It is nominal when ``schedule`` is ``source``."""
    video_stream: NotRequired[int | None]
    """The video stream requested with ``--video-stream``. Null without that option: ``streams`` has the one that was
    played."""
    schedule: str
    """What makes frames due: ``source`` (the source's own times), ``fps`` (the rate of ``--fps``) or ``max`` (a
    closed loop)."""
    skip_gaps: NotRequired[bool]
    """Whether gaps in a file's times were closed to one frame period (``--skip-gaps``)."""
    closed_loop: bool
    """Whether each frame started when the engine had room for it (``--fps max``). Nothing is due then, and
    ``scheduled_ms`` is that instant."""
    policy: str
    """Which frame is dropped when the queue is full, by the choices of ``--policy``. With ``wait`` none is dropped:
    the source is held back."""
    queue: int
    """How many frames may wait for the engine; 0 in a closed loop."""
    arrivals: str | None
    """How arrivals were simulated: a file's name, ``bursty`` with its parameters, or ``faults``. Null when they were
    not."""
    max_age_ms: float | None
    """Age beyond which a frame was dropped when its turn came (``--max-age``). Null without that option."""
    skip_partial: bool
    """Whether a frame was dropped when the next frame's result would come at the same tick (``--skip-partial``)."""
    until: str | None
    """The percentile until which the run was to go on, as in ``p99.9``. Null without ``--until``."""
    slo: str | None
    """The objectives as they were given. Null without ``--slo``."""
    percentiles: str
    """``exact``; or ``histogram``, in a soak, and when a figure has more than 100,000 values: percentiles then come
    from ``histograms.hlog``, and are within 0.1 %."""
    deadline_ms: float | None
    """The effective deadline: a frame is late when its latency exceeds it. By default the shortest nominal frame
    period of the streams; null in a closed loop without ``--deadline``."""
    deadline_asked_ms: NotRequired[float | None]
    """The deadline requested with ``--deadline``. Null without that option."""
    warmup: int
    """Inferences of each request before the run, after its first one."""
    warmup_ms: float
    """Time that these inferences took together."""
    video: str
    """Which frames the annotated video shows: ``delivered``, ``all``, or ``none`` when there is no video."""
    confidence: float
    """The lowest confidence of a detection that is kept, from 0 to 1."""
    iou: float
    """The overlap (IoU, from 0 to 1) from which NMS suppresses the weaker of two boxes."""
    fit: str
    """How frames were made to fit the model's input: ``letterbox``, ``letterbox-top-left``, ``stretch`` or
    ``crop``."""
    loop: bool
    """Whether the source starts again at its end (``--loop``)."""
    give_up_s: float | None
    """Time without a frame after which a live source ends the run. Null with ``--no-reconnect``: it ends as soon as
    the source is lost."""
    source_timeout_s: NotRequired[float]
    """Time without data after which a live source counts as lost, or as not to be opened."""
    rtsp_transport: NotRequired[str]
    """What carries the packets of an rtsp:// address: ``tcp`` or ``udp``."""
    tls_verify: NotRequired[bool]
    """Whether an rtsps:// or https:// address without a trusted certificate is refused."""
    study: str | None
    """The study in which runs took turns in rounds, by a name that no other study has. Null in a run by itself, and
    in a repaired run."""
    rounds: list[RoundPart] | None
    """The rounds in which the run had its turns. Null when it ran without pause."""
    garbage_collection: str
    """When Python collected garbage: always ``frozen after warm-up, then only between frames``."""
    started: str
    """When streamer began to open source and engine, as UTC in ISO 8601. The start of the run, from which times
    count, comes after the warm-up."""
    duration_s: float
    """How long the run went on: from its start to the last stamp in ``frames.csv``."""


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
