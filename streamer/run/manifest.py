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
    """What ``run.json`` begins with: the verdict, what ran, and what became of its frames.

    ``stopped_by`` is what stopped it before its end, as in SIGINT. ``drop_reasons`` counts dropped frames by their
    reasons, ``objects`` what was detected in all frames, and ``after_damage`` delivered frames that may show damage;
    these are not there in older ones.
    """

    schema_version: int
    streamer: str
    verdict: Verdict
    answer: str
    error: str | None
    stopped_by: NotRequired[str | None]
    notes: list[str]
    doubts: list[str]
    slo: Literal["met", "missed"] | None
    slo_checks: list[CheckPart]
    source: SourcePart
    streams: list[StreamPart]
    model: ModelPart
    engine: EnginePart
    run: RunPart
    frames: FramesPart
    decode_errors: DecodeErrorsPart
    drop_reasons: NotRequired[dict[str, int]]
    objects: NotRequired[int]
    after_damage: NotRequired[int]


class Summary(ManifestHead, FiguresPart):
    """What a run came to, in the order in which people read it: the head, the figures over all streams, the rest."""

    omission_gap: dict[str, float | None]
    tail: TailPart | None
    priming: PrimingPart | None
    replacements: list[ReplacementPart]
    pieces: SegmentsPart | None
    load: LoadPart | None
    faults: list[FaultPart] | None
    stalls: list[StallPart]
    gaps: OutagesPart | None
    windows: WindowsPart
    parts: list[DevicePart]
    repaired: RepairedPart | None
    resources: ResourcesPart
    machine: MachinePart
    versions: dict[str, str]


class Manifest(Summary):
    """A run's ``run.json``. Null is what is not known, as of a run that was killed, or what there was nothing of.

    ``verdict`` is INVALID when the ledger does not count every frame once; ``error`` is what a FAILED run ended with.
    ``slo`` is met when all of ``slo_checks`` are. Figures in ``*_ms`` are over all streams, in milliseconds.
    ``omission_gap`` is, by percentile, how many times the service time the result latency is. ``versions`` are by
    package, ``files`` by name. ``document_sha256`` is the SHA-256 of all the rest as JSON in UTF-8, with its keys
    sorted and nothing between its tokens. These two are missing where ``run.json`` could not be written.
    """

    files: NotRequired[dict[str, FilePart]]
    document_sha256: NotRequired[str]


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
