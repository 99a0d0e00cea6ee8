"""The types of ``soak.json``."""

from __future__ import annotations

from typing import Literal, TypeAlias, TypedDict

from streamer.faults.trigger import FaultPart
from streamer.ledger.outages import OutagesPart
from streamer.machine.info import MachinePart
from streamer.machine.load import LoadPart
from streamer.run.measured_parts import FramesPart
from streamer.run.setup import RunPart
from streamer.run.setup_parts import EnginePart, ModelPart, SourcePart, StreamPart
from streamer.stats.slo import CheckPart

SCHEMA_VERSION = 1
NAME = "soak"

SoakVerdict = Literal["passed", "failed", "undecided"]


class EndFigures(TypedDict):
    """How long the soak lasted and was to last, in seconds, and the errors of its parts."""

    lasted_s: float
    asked_s: float
    errors: list[str]


class EndPart(TypedDict):
    """Whether the soak lasted as long as it was to; ``passed`` is null when it was stopped and can go on."""

    name: Literal["end"]
    passed: bool | None
    why: str
    figures: EndFigures


class DriftOfPart(TypedDict):
    """The growth of a latency percentile over a part: its line in milliseconds, its rate in percent a minute."""

    part: int
    windows: int
    start_s: float
    end_s: float
    start_ms: float
    end_ms: float
    percent_a_minute: float
    percent_a_minute_low: float
    percent_a_minute_high: float
    percent: float
    jumped_percent: float
    drifts: bool


class DriftFigures(TypedDict):
    """A row per part that was long enough."""

    p50: list[DriftOfPart]
    p95: list[DriftOfPart]


class DriftPart(TypedDict):
    """Whether the latency grew."""

    name: Literal["drift"]
    passed: bool | None
    why: str
    figures: DriftFigures


class GrowthOfPart(TypedDict):
    """The growth of memory, files or threads over a part, in their unit (MB, files, threads) and that a minute."""

    part: int
    windows: int
    start_s: float
    end_s: float
    start: float
    end: float
    a_minute: float
    a_minute_low: float
    a_minute_high: float
    a_minute_late: float
    jumped: float
    leaks: bool


class LeakFigures(TypedDict):
    """A row per part that was long enough."""

    parts: list[GrowthOfPart]


class LeakPart(TypedDict):
    """Whether something leaks."""

    name: Literal["memory", "memory of child processes", "open files", "threads"]
    passed: bool | None
    why: str
    figures: LeakFigures


class LossFigures(TypedDict):
    """Frames scheduled, frames by outcome, and the frames ``lost`` that fail the soak."""

    scheduled: int
    delivered: int
    dropped: int
    decode_error: int
    source_error: int
    engine_error: int
    sink_error: int
    abandoned: int
    lost: int


class LossesPart(TypedDict):
    """Whether each frame has one outcome, and none was lost."""

    name: Literal["losses"]
    passed: bool | None
    why: str
    figures: LossFigures


class ObjectiveOfPart(CheckPart):
    """An objective over a part, and in how many of its windows it was met; null when windows lack the figure."""

    part: int
    windows_met: int | None
    windows: int | None


class SloFigures(TypedDict):
    """A row per part and objective."""

    objectives: list[ObjectiveOfPart]


class SloPart(TypedDict):
    """Whether the objectives of ``--slo`` were met; absent without ``--slo``."""

    name: Literal["slo"]
    passed: bool | None
    why: str
    figures: SloFigures


class CanaryFigures(TypedDict):
    """Windows in which the canary was looked at, and in which its boxes had changed; null: they never had."""

    windows: int
    changed: int
    first_changed: int | None
    most_boxes: int


class CanaryPart(TypedDict):
    """Whether the canary's boxes were the same to the end."""

    name: Literal["canary"]
    passed: bool | None
    why: str
    figures: CanaryFigures


VerdictPart: TypeAlias = EndPart | DriftPart | LeakPart | LossesPart | SloPart | CanaryPart
"""One verdict, by its name: ``passed`` is null while it is open; ``why`` is a sentence with some of the figures."""


class RunOfSoak(TypedDict):
    """One of the ``parts``, as its ``run.json`` has it."""

    directory: str
    verdict: Literal["VALID", "INTERRUPTED", "FAILED", "INVALID"]
    error: str | None
    slo: Literal["met", "missed"] | None
    gaps: OutagesPart | None
    doubts: list[str]
    started: str
    duration_s: float


class KilledPart(TypedDict):
    """One of the ``parts`` that was killed, and has no ``run.json``."""

    directory: str
    verdict: Literal["KILLED"]


class SoakDocument(TypedDict):
    """``soak.json``: the verdicts on all parts so far, and what ran.

    ``windows`` counts the rows of ``windows.csv``, of ``window_s`` seconds each; the canary was looked at every
    ``canary_s``. ``source`` and what follows are as in the ``run.json`` of the last part.
    """

    schema_version: int
    streamer: str
    answer: str
    verdict: SoakVerdict
    verdicts: list[VerdictPart]
    windows: int
    window_s: float
    canary_s: float
    asked_s: float
    lasted_s: float
    parts: list[RunOfSoak | KilledPart]
    frames: FramesPart
    source: SourcePart
    streams: list[StreamPart]
    model: ModelPart
    engine: EnginePart
    machine: MachinePart
    versions: dict[str, str]
    load: LoadPart | None
    faults: list[FaultPart] | None
    run: RunPart
