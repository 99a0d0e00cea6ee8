"""``run.json``: what ran, on what, and with which figures."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict, cast

from streamer.faults.trigger import FaultPart
from streamer.ledger.decode_errors import DecodeErrorsPart
from streamer.ledger.outages import OutagesPart
from streamer.ledger.record import Outcome
from streamer.machine.info import MachinePart
from streamer.machine.load import LoadPart
from streamer.run.answer import plain_answer
from streamer.run.doubts import doubts
from streamer.run.facts import Facts
from streamer.run.measured_parts import (
    UNKNOWN_RESOURCES,
    DevicePart,
    FilePart,
    FramesPart,
    PrimingPart,
    RepairedPart,
    ReplacementPart,
    ResourcesPart,
    StallPart,
    WindowsPart,
    windows_part,
)
from streamer.run.setup import RunPart, rounds_part, stream_rates
from streamer.run.setup_parts import EnginePart, ModelPart, SourcePart, StreamPart, device_changes_part
from streamer.rundir.segments import SegmentsPart
from streamer.stats.slo import CheckPart, check, parse_slo
from streamer.stats.summary import FiguresPart, figures_part, omission_gap
from streamer.stats.tail import TailPart, tail_text

Verdict = Literal["VALID", "INTERRUPTED", "FAILED", "INVALID"]


class ManifestHead(TypedDict):
    """What ``run.json`` begins with: the verdict, what ran, and what became of its frames."""

    schema_version: int
    """The version of this document, 2 now. From 2 on it has ``document_sha256``, and ``run.duration_s`` goes to the
    last stamp in ``frames.csv``."""
    streamer: str
    """The version of streamer that made the run."""
    verdict: Verdict
    """The first of these that holds: ``INVALID``, when the ledger does not count every scheduled frame once;
    ``FAILED``, when ``error`` is not null; ``INTERRUPTED``, when ``stopped_by`` is not null; ``VALID``, whatever the
    doubts."""
    answer: str
    """The run in a sentence: whether it sustained the rate, a percentile of the latency with its upper bound, the
    losses, and the step that made the tail."""
    error: str | None
    """The message of the error that ended the run, or kept its files from being finished. Null without one."""
    stopped_by: NotRequired[str | None]
    """What stopped the run before its end: ``SIGINT``, ``SIGTERM`` or ``SIGHUP``; ``cancelled``, ``an error of the
    observer`` or ``the end of the program`` in the library; ``a kill`` in a repaired run. Null when nothing did."""
    notes: list[str]
    """What is to be known before the figures are read, a sentence each. Empty when there is nothing."""
    doubts: list[str]
    """What questions the figures, a sentence with a number each. They do not change the verdict; empty when there are
    none."""
    slo: Literal["met", "missed"] | None
    """``met`` when all of ``slo_checks`` are, else ``missed``. Null without ``--slo``."""
    slo_checks: list[CheckPart]
    """Each objective of ``--slo``, in its order, with the figure that was found. Empty without ``--slo``."""
    source: SourcePart
    """The source of the first stream."""
    streams: list[StreamPart]
    """The streams, in the order of their numbers."""
    model: ModelPart
    """The detector."""
    engine: EnginePart
    """The engine: what was requested, and what is effective."""
    run: RunPart
    """The options of the run with their defaults resolved, and how long it went on."""
    frames: FramesPart
    """Frames by outcome, over all streams."""
    decode_errors: DecodeErrorsPart
    """Why frames could not be decoded."""
    drop_reasons: NotRequired[dict[str, int]]
    """Dropped frames by reason: ``queue_full``, ``stale`` (older than ``--max-age``) or ``partial``
    (``--skip-partial``). A reason that no frame has is not there."""
    objects: NotRequired[int]
    """How many objects were detected, in all frames together."""
    after_damage: NotRequired[int]
    """Delivered frames that may be smeared: data that they refer to was damaged or missing, and no key frame has come
    since. ``frames.csv`` marks them."""


class Summary(ManifestHead, FiguresPart):
    """What a run came to, in the order in which people read it: the head, the figures over all streams, the rest."""

    omission_gap: dict[str, float | None]
    """By percentile, the result latency divided by the service time, which is all that a closed loop would show. Null
    where one of the two is withheld, or the service time is 0."""
    tail: TailPart | None
    """What the slowest 5 % of frames have in common. Null with fewer than 40 delivered frames, when no latency
    exceeds the 95th percentile, and in a repaired run."""
    priming: PrimingPart | None
    """What priming did, and what it cost. Null without ``prime=on``, and in a repaired run."""
    replacements: list[ReplacementPart]
    """Engines that hung or died and were replaced (``--respawn``), in the order of time. Empty when none was."""
    pieces: SegmentsPart | None
    """The segments that the files of a long run are cut into. Null when they are not cut, as in a replay."""
    load: LoadPart | None
    """The load beside the run. Null without ``--load``."""
    faults: list[FaultPart] | None
    """The faults that were injected on purpose, in the order of the plan. Null without ``--faults``."""
    stalls: list[StallPart]
    """Stages that hung, and were given up after ``--stall``. Empty when none did, and in a repaired run."""
    gaps: OutagesPart | None
    """The outages of live sources. Null when no source is live."""
    windows: WindowsPart
    """The last three windows of the run, which agree when it is steady."""
    parts: list[DevicePart]
    """The figures of each stretch between two changes of the execution devices. Empty when they did not change, and
    in a repaired run."""
    repaired: RepairedPart | None
    """What ``streamer verify --repair`` did to a run that was killed. Null in any other run."""
    resources: ResourcesPart
    """CPU time and memory that the run used, and the CPU that others used meanwhile."""
    machine: MachinePart
    """The machine, read when ``run.json`` was made; in a repaired run before the first frame."""
    versions: dict[str, str]
    """The version of Python, of each installed package that streamer uses, and of FFmpeg, by name."""


class Manifest(Summary):
    """A run's ``run.json``. Null is what is not known, as of a run that was killed, or what there was nothing of.

    Figures in ``*_ms`` are over all streams, in milliseconds.
    """

    files: NotRequired[dict[str, FilePart]]
    """Size and hash of each file that holds data, by its name: tables, videos, histograms and segments. Missing in
    ``run.manifest`` of a run whose ``run.json`` could not be written."""
    document_sha256: NotRequired[str]
    """The SHA-256, in hexadecimal, of all the rest as JSON in UTF-8, with its keys sorted and nothing between its
    tokens. Missing where ``files`` is."""


def summary(facts: Facts) -> Summary:
    """The manifest of a run, without its files, from its facts."""
    known, totals, observed = facts.setup, facts.totals, facts.observed
    slo = known["run"]["slo"]
    checks = check(() if slo is None else parse_slo(slo), totals.figures, totals.frames)
    return {
        "schema_version": known["schema_version"],
        "streamer": known["streamer"],
        "verdict": _verdict(facts),
        "answer": _answer(facts),
        "error": facts.error,
        "stopped_by": facts.stopped_by,
        "notes": known["notes"],
        "doubts": doubts(facts),
        "slo": None if not checks else "met" if all(one.met for one in checks) else "missed",
        "slo_checks": [one.as_dict() for one in checks],
        "source": known["source"],
        "streams": _streams(facts),
        "model": known["model"],
        "engine": _engine(facts),
        "run": _run(facts),
        "frames": cast(FramesPart, dict(totals.frames)),
        "decode_errors": totals.decode_errors,
        "drop_reasons": dict(totals.drop_reasons),
        "objects": totals.objects,
        "after_damage": totals.after_damage,
        **figures_part(totals.figures),
        "omission_gap": omission_gap(totals.figures),
        "tail": None if observed is None else observed.tail,
        "priming": None if observed is None else observed.priming,
        "replacements": list(facts.replacements),
        "pieces": facts.segments,
        "load": known["load"],
        "faults": known["faults"],
        "stalls": [] if observed is None else list(observed.stalls),
        "gaps": facts.outages,
        "windows": windows_part(totals.window_s, totals.windows),
        "parts": [] if observed is None else list(observed.device_parts),
        "repaired": facts.repaired,
        "resources": UNKNOWN_RESOURCES if observed is None else observed.resources,
        "machine": known["machine"],
        "versions": known["versions"],
    }


def _verdict(facts: Facts) -> Verdict:
    if not facts.totals.conserved:
        return "INVALID"
    if facts.error is not None:
        return "FAILED"
    return "VALID" if facts.stopped_by is None else "INTERRUPTED"


def _answer(facts: Facts) -> str:
    rates = stream_rates(facts.setup)
    suspensions = None if facts.observed is None else facts.observed.suspensions
    return plain_answer(
        facts.totals.frames,
        facts.totals.figures,
        rates=rates,
        duration_s=facts.duration_us / 1e6,
        behind_us=facts.totals.backlog.behind_us(rates) if rates else None,
        still_us=0 if suspensions is None else round(suspensions["total_s"] * 1_000_000),
        tail=None if facts.observed is None else tail_text(facts.observed.tail),
    )


def _streams(facts: Facts) -> list[StreamPart]:
    counted = facts.totals.of_streams
    return [
        {
            **stream,
            "scheduled": sum(counted[number, outcome] for outcome in Outcome),
            "delivered": counted[number, Outcome.DELIVERED],
        }
        for number, stream in enumerate(facts.setup["streams"])
    ]


def _engine(facts: Facts) -> EnginePart:
    changes = () if facts.observed is None else facts.observed.device_changes
    return {**facts.setup["engine"], "device_changes": device_changes_part(changes)}


def _run(facts: Facts) -> RunPart:
    return {
        **facts.setup["run"],
        "percentiles": "exact" if facts.totals.exact else "histogram",
        "study": facts.study,
        "rounds": rounds_part(facts.rounds),
        "duration_s": facts.duration_us / 1_000_000,
    }
