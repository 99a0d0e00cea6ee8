"""``compare.json`` as a whole: the advice, what ran on what, and a row per engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

from streamer import __version__
from streamer.machine.info import MachinePart
from streamer.run.setup_parts import ModelPart, SourcePart
from streamer.stats.percentiles import frames_needed
from streamer.stats.speed_ratio import ROUNDS_NEEDED, SECONDS_NEEDED
from streamer.studies.compare.advice import advise
from streamer.studies.compare.rows import EngineRow, Table
from streamer.studies.run_figures import undecoded

SCHEMA_VERSION = 1
NAME = "compare"
"""The name of the table, the document and the chart, without their endings."""


class ComparedRunPart(TypedDict):
    """The ``run`` of ``compare.json``: how the engines were run, as in ``run.json``.

    Each has seen ``frames`` frames, in ``rounds`` rounds of about ``round_frames``; ``rounds`` is 0 when the runs
    were not ``interleaved``. An interrupted comparison counts what all engines have finished.
    """

    fps: str
    closed_loop: bool
    policy: str
    queue: int
    video: str
    confidence: float
    iou: float
    fit: str
    loop: bool
    started: str
    frames: int
    rounds: int
    round_frames: int
    interleaved: bool
    interrupted: bool


class ComparisonDocument(TypedDict):
    """``compare.json``: ``answer`` is the advice, ``engines`` has a row for each, in the order of the request.

    ``source``, ``model``, ``machine`` and ``versions`` are as in ``run.json``. ``baseline`` names the engine that the
    others are compared with, ``reference`` the one that agreement is with, ``truth`` the ground truth; null for none.
    """

    schema_version: int
    streamer: str
    answer: str
    notes: list[str]
    doubts: list[str]
    source: SourcePart
    model: ModelPart
    machine: MachinePart
    versions: dict[str, str]
    run: ComparedRunPart
    baseline: str
    reference: str | None
    truth: str | None
    engines: list[EngineRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """The parts of a comparison's document beside its rows.

    ``source``, ``model``, ``machine`` and ``versions`` are as in ``run.json``.

    ``reference`` is the engine that agreement is with, ``truth`` the name of the ground truth; None for neither.
    ``differing`` names the conditions that were not the same for all runs.
    """

    source: SourcePart
    model: ModelPart
    machine: MachinePart
    versions: dict[str, str]
    run: ComparedRunPart
    reference: str | None
    truth: str | None
    notes: Sequence[str]
    doubts: Sequence[str]
    differing: Sequence[str] = ()


def document_of(table: Table, about: Circumstances) -> ComparisonDocument:
    """The document of a comparison, its fields in the order of reading."""
    rows = table.rows()
    unsure = [row["engine"] for row in rows if row["median_ms"] is not None and row["ratio_p50"] is None]
    doubts = [*about.doubts, *undecoded(run.manifest for run in table.runs.values())]
    if set(unsure) - {table.baseline}:
        doubts.append(
            f"too little was seen for a verdict, which needs {ROUNDS_NEEDED} rounds with {frames_needed(0.5)} "
            f"frames, or {SECONDS_NEEDED} s of runs that were not interleaved: compare for longer"
        )
    return {
        "schema_version": SCHEMA_VERSION,
        "streamer": __version__,
        "answer": advise(rows, lambda one, other: table.ratio(one, other, 0.5), about.differing),
        "notes": list(about.notes),
        "doubts": doubts,
        "source": about.source,
        "model": about.model,
        "machine": about.machine,
        "versions": about.versions,
        "run": about.run,
        "baseline": table.baseline,
        "reference": about.reference,
        "truth": about.truth,
        "engines": rows,
    }


def run_part(manifest: Mapping[str, Any], frames: int, rounds: int, block: int, interrupted: bool) -> ComparedRunPart:
    """The ``run`` of the document, from that of one of its runs; ``rounds`` is 0 when they were not interleaved."""
    run = manifest["run"]
    return {
        "fps": run["fps"],
        "closed_loop": run["closed_loop"],
        "policy": run["policy"],
        "queue": run["queue"],
        "video": run["video"],
        "confidence": run["confidence"],
        "iou": run["iou"],
        "fit": run["fit"],
        "loop": run["loop"],
        "started": run["started"],
        "frames": frames,
        "rounds": rounds,
        "round_frames": block,
        "interleaved": rounds > 0,
        "interrupted": interrupted,
    }
