"""``pace.json`` and ``pace.csv``: each engine's latency at each rate, and the answer."""

from __future__ import annotations

import os
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Literal, TypedDict

import numpy as np

from streamer import __version__
from streamer.errors import EngineError
from streamer.machine import installation
from streamer.machine.info import MachinePart
from streamer.run.manifest import Verdict
from streamer.run.measured_parts import OutcomesPart
from streamer.run.setup_parts import ModelPart, SourcePart
from streamer.rundir.columns import NEVER, Values, read_columns
from streamer.rundir.frames_csv import read_frames
from streamer.rundir.paths import FRAMES
from streamer.stats.speed_ratio import quantile_of
from streamer.studies.interleave import Lane
from streamer.studies.pace.idling import busy_s, idle_penalties, is_saturated
from streamer.studies.pace.sentence import highest_rate, sentence_of
from streamer.studies.pace.study import At, PaceStudy
from streamer.studies.run_figures import (
    EstimatePart,
    PercentilesPart,
    drops_percent,
    milliseconds,
    outcomes,
    percentiles,
    ratio,
    read_manifest,
    undecoded,
)

SCHEMA_VERSION = 1
NAME = "pace"
"""The name of the table, the document and the chart, without their endings."""


class RateRow(TypedDict):
    """An engine at a rate in ``pace.json``; ``why`` is why it did not run, and then all that is measured is null.

    ``fps`` is ``max`` or a rate, as a fraction when it is no whole number. ``*_ms`` are milliseconds. ``infer_*`` is
    the inference alone. ``idle_penalty`` is its median over that in the closed loop: null without a closed loop, and
    where the engine is ``saturated``. ``directory`` is its run directory, relative to that of the study.
    """

    engine: str
    fps: str
    closed_loop: bool
    delivered_rate: float | None
    frames: OutcomesPart | None
    drops_percent: float | None
    service_ms: PercentilesPart | None
    infer_ms: PercentilesPart | None
    result_latency_ms: PercentilesPart | None
    latency_ms: PercentilesPart | None
    age_ms: PercentilesPart | None
    infer_median_ms: EstimatePart | None
    result_latency_median_ms: EstimatePart | None
    idle_penalty: EstimatePart | None
    saturated: bool | None
    slo: Literal["met", "missed"] | None
    slo_why: str | None
    verdict: Verdict | None
    why: str | None
    directory: str | None


class PaceRunPart(TypedDict):
    """The ``run`` of ``pace.json``: how the engines were run, ``seconds`` of schedule at each rate in ``rounds``.

    An interrupted study counts the ``rounds`` that all have finished.
    """

    queue: int
    video: str
    confidence: float
    iou: float
    fit: str
    started: str
    policy: str
    seconds: float
    rounds: int
    interrupted: bool


class PaceDocument(TypedDict):
    """``pace.json``: ``answer`` has a sentence for each engine, ``rates`` a row for each engine and rate.

    ``source``, ``model``, ``machine`` and ``versions`` are as in ``run.json``. ``highest_rate`` has for each engine
    the highest rate that meets the objectives of ``slo``, null when none does; it is null without objectives.
    """

    schema_version: int
    streamer: str
    answer: str
    notes: list[str]
    source: SourcePart
    model: ModelPart
    machine: MachinePart
    versions: dict[str, str]
    run: PaceRunPart
    slo: str | None
    highest_rate: dict[str, str | None] | None
    engines: list[str]
    rates: list[RateRow]


def document_of(study: PaceStudy) -> PaceDocument:
    """The document of a whole study. Raises EngineError when no engine came to its end."""
    if not _ran(study):
        raise EngineError(f"no engine came to its end: {study.places[0].lane.why}")
    return _document(study, interrupted=False)


def document_so_far(study: PaceStudy) -> PaceDocument | None:
    """The document of an interrupted study, of the rounds that all have finished; None without any."""
    return _document(study, interrupted=True) if min((lane.rounds for lane in _ran(study)), default=0) else None


def _ran(study: PaceStudy) -> list[Lane]:
    """The lanes that ran to their end, or to an interruption."""
    return [place.lane for place in study.places if place.lane.directory is not None and place.lane.why is None]


def _document(study: PaceStudy, *, interrupted: bool) -> PaceDocument:
    lanes = _ran(study)
    rounds = min(lane.rounds for lane in lanes)
    rows = [_row(study, place, rounds) if place.lane in lanes else _unavailable(place) for place in study.places]
    _add_penalties(
        [(place, row) for place, row in zip(study.places, rows, strict=True) if place.lane in lanes], rounds
    )
    manifest = read_manifest(lanes[0].directory or Path())
    slo = study.settings.replay.slo
    engines = [spec.spec for spec in study.engines]
    return {
        "schema_version": SCHEMA_VERSION,
        "streamer": __version__,
        "answer": " ".join(sentence_of(engine, rows, slo) for engine in engines),
        "notes": [
            *([] if "max" in study.settings.rates else ["no idle penalty without the closed loop: add max to --fps"]),
            *undecoded(read_manifest(lane.directory) for lane in lanes if lane.directory is not None),
            *study.info.notes,
            *installation.notes(),
        ],
        "source": manifest["source"],
        "model": manifest["model"],
        "machine": manifest["machine"],
        "versions": manifest["versions"],
        "run": {
            "queue": manifest["run"]["queue"],
            "video": manifest["run"]["video"],
            "confidence": manifest["run"]["confidence"],
            "iou": manifest["run"]["iou"],
            "fit": manifest["run"]["fit"],
            "started": manifest["run"]["started"],
            "policy": study.settings.replay.effective_policy.value,
            "seconds": study.settings.seconds,
            "rounds": rounds,
            "interrupted": interrupted,
        },
        "slo": slo,
        "highest_rate": {engine: highest_rate(engine, rows) for engine in engines} if slo else None,
        "engines": engines,
        "rates": rows,
    }


def _row(study: PaceStudy, place: At, rounds: int) -> RateRow:
    directory = place.lane.directory
    assert directory is not None
    in_a_round = place.lane.starts[1]
    manifest, columns = read_manifest(directory), read_columns(directory / FRAMES).first(rounds * in_a_round)
    infer = _infer(place)[: rounds * in_a_round]
    frames = outcomes(columns)
    closed_loop = place.pace == "max"
    rate = None if closed_loop else Fraction(manifest["run"]["fps"])
    seconds = busy_s(columns, in_a_round) if rate is None else float(len(columns) / rate)
    return {
        "engine": place.spec.spec,
        "fps": _as_text(place),
        "closed_loop": closed_loop,
        "delivered_rate": round(frames["delivered"] / seconds, 3) if seconds else 0.0,
        "frames": frames,
        "drops_percent": drops_percent(frames),
        "service_ms": percentiles(columns.service),
        "infer_ms": percentiles(infer),
        "result_latency_ms": percentiles(columns.result_latency),
        "latency_ms": percentiles(columns.latency),
        "age_ms": None if closed_loop else percentiles(columns.age()),
        "infer_median_ms": milliseconds(quantile_of(infer, 0.5, in_a_round)),
        "result_latency_median_ms": milliseconds(quantile_of(columns.result_latency, 0.5, in_a_round)),
        "idle_penalty": None,
        "saturated": rate is not None and is_saturated(columns, rate, manifest["engine"]["requests"], in_a_round),
        "slo": manifest["slo"],
        "slo_why": "; ".join(f"{one['objective']}: {one['why']}" for one in manifest["slo_checks"] if not one["met"]),
        "verdict": manifest["verdict"],
        "why": None,
        "directory": os.path.relpath(directory, study.out),
    }


def _add_penalties(there: Sequence[tuple[At, RateRow]], rounds: int) -> None:
    """Adds the idle penalty to each rate, but where the engine is saturated and so never idles."""
    loops = {row["engine"]: _rounds_of(place, _infer(place), rounds) for place, row in there if row["closed_loop"]}
    idling = [
        (place, row)
        for place, row in there
        if row["engine"] in loops and not (row["closed_loop"] or row["saturated"])
    ]
    found = idle_penalties(
        loops, [(row["engine"], _rounds_of(place, _infer(place), rounds)) for place, row in idling]
    )
    for (_, row), penalty in zip(idling, found, strict=True):
        row["idle_penalty"] = ratio(penalty)


def _unavailable(place: At) -> RateRow:
    return {
        "engine": place.spec.spec,
        "fps": _as_text(place),
        "closed_loop": place.pace == "max",
        "delivered_rate": None,
        "frames": None,
        "drops_percent": None,
        "service_ms": None,
        "infer_ms": None,
        "result_latency_ms": None,
        "latency_ms": None,
        "age_ms": None,
        "infer_median_ms": None,
        "result_latency_median_ms": None,
        "idle_penalty": None,
        "saturated": None,
        "slo": None,
        "slo_why": None,
        "verdict": None,
        "why": place.lane.why,
        "directory": None,
    }


def _as_text(place: At) -> str:
    return str(place.pace)


def _infer(place: At) -> Values:
    """Each frame's time in infer, in microseconds; `NEVER` without one."""
    assert place.lane.directory is not None
    records = sorted(read_frames(place.lane.directory / FRAMES), key=lambda record: record.frame)
    return np.array([NEVER if record.infer is None else record.infer for record in records], np.int64)


def _rounds_of(place: At, values: Values, rounds: int) -> list[Values]:
    in_a_round = place.lane.starts[1]
    return [values[number * in_a_round : (number + 1) * in_a_round] for number in range(rounds)]
