"""``pace.json`` and ``pace.csv``: what an engine's latency is at each rate, and what that comes to."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from streamer import __version__
from streamer.machine import installation
from streamer.rundir.columns import NEVER, Values, read_columns
from streamer.rundir.frames_csv import read_frames
from streamer.rundir.paths import FRAMES
from streamer.stats.speed_ratio import between_processes, quantile_of, ratio_by_rounds
from streamer.studies.pace.study import At, PaceStudy, told
from streamer.studies.run_figures import (
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
"""Of the table, the document and the picture, without their endings."""
COLUMNS = (
    "engine,fps,closed_loop,why,delivered_rate,scheduled,delivered,dropped,drops_percent,service_p50_ms,service_p95_ms,"
    "service_p99_ms,infer_p50_ms,infer_p95_ms,infer_p99_ms,result_latency_p50_ms,result_latency_p95_ms,"
    "result_latency_p99_ms,latency_p50_ms,latency_p95_ms,latency_p99_ms,age_p50_ms,age_p95_ms,age_p99_ms,"
    "infer_median_ms,infer_median_low_ms,infer_median_high_ms,result_latency_median_ms,result_latency_median_low_ms,"
    "result_latency_median_high_ms,idle_penalty,idle_penalty_low,idle_penalty_high,slo,verdict,directory"
)
"""Of the table."""
KEEPS_UP_PERCENT = 1.0
"""Up to so many dropped frames an engine keeps up with a rate."""


def document_of(study: PaceStudy, *, interrupted: bool = False) -> dict[str, Any] | None:
    """The document, of the rounds that all have done; None when there is none."""
    lanes = [place.lane for place in study.places if place.lane.directory is not None and place.lane.why is None]
    rounds = min((lane.rounds for lane in lanes), default=0)
    if not rounds:
        return None
    back_to_back = {
        place.spec: _rounds_of(place, _infer(place), rounds)
        for place in study.places
        if place.pace == "max" and place.lane in lanes
    }
    rows = [
        _row(study, place, rounds, back_to_back.get(place.spec)) if place.lane in lanes else _unavailable(place)
        for place in study.places
    ]
    manifest = read_manifest(lanes[0].directory or Path())
    slo = study.settings.replay.slo
    engines = [spec.spec for spec in study.engines]
    return {
        "schema_version": SCHEMA_VERSION,
        "streamer": __version__,
        "answer": " ".join(_told_of(engine, rows, slo) for engine in engines),
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
            **{name: manifest["run"][name] for name in ("queue", "video", "confidence", "iou", "fit", "started")},
            "policy": study.settings.replay.policy_in_force.value,
            "seconds": study.settings.seconds,
            "rounds": rounds,
            "interrupted": interrupted,
        },
        "slo": slo,
        "highest_rate": {engine: _highest(engine, rows) for engine in engines} if slo else None,
        "engines": engines,
        "rates": rows,
    }


def _row(study: PaceStudy, place: At, rounds: int, back_to_back: Sequence[Values] | None) -> dict[str, Any]:
    directory = place.lane.directory
    assert directory is not None
    in_a_round = place.lane.starts[1]
    manifest, columns = read_manifest(directory), read_columns(directory / FRAMES).first(rounds * in_a_round)
    infer = _infer(place)[: rounds * in_a_round]
    frames = outcomes(columns)
    closed_loop = place.pace == "max"
    seconds = manifest["run"]["duration_s"] if closed_loop else float(len(columns) / Fraction(manifest["run"]["fps"]))
    penalty = None
    if back_to_back is not None and not closed_loop:
        found = ratio_by_rounds(back_to_back, _rounds_of(place, infer, rounds), 0.5)
        penalty = None if found is None else ratio(between_processes(found))
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
        "idle_penalty": penalty,
        "slo": manifest["slo"],
        "slo_why": "; ".join(f"{one['objective']}: {one['why']}" for one in manifest["slo_checks"] if not one["met"]),
        "verdict": manifest["verdict"],
        "why": None,
        "directory": os.path.relpath(directory, study.out),
    }


def _unavailable(place: At) -> dict[str, Any]:
    nothing = (
        *("delivered_rate", "frames", "drops_percent", "service_ms", "infer_ms", "result_latency_ms", "latency_ms"),
        *("age_ms", "infer_median_ms", "result_latency_median_ms", "idle_penalty", "slo", "slo_why", "verdict"),
    )
    return {
        "engine": place.spec.spec,
        "fps": _as_text(place),
        "closed_loop": place.pace == "max",
        **dict.fromkeys(nothing),
        "why": place.lane.why,
        "directory": None,
    }


def _as_text(place: At) -> str:
    return str(place.pace)


def _infer(place: At) -> Values:
    """Each frame's time in infer, in microseconds."""
    assert place.lane.directory is not None
    records = sorted(read_frames(place.lane.directory / FRAMES), key=lambda record: record.frame)
    return np.array([NEVER if record.infer is None else record.infer for record in records], np.int64)


def _rounds_of(place: At, values: Values, rounds: int) -> list[Values]:
    in_a_round = place.lane.starts[1]
    return [values[number * in_a_round : (number + 1) * in_a_round] for number in range(rounds)]


def _highest(engine: str, rows: Sequence[Mapping[str, Any]]) -> str | None:
    """The highest rate that meets the objectives."""
    met = [row["fps"] for row in rows if row["engine"] == engine and not row["closed_loop"] and row["slo"] == "met"]
    return max(met, key=Fraction, default=None)


def _told_of(engine: str, rows: Sequence[Mapping[str, Any]], slo: str | None) -> str:
    """What one engine's rates come to, in a sentence."""
    own = [row for row in rows if row["engine"] == engine and row["frames"] is not None]
    if not own:
        return f"{engine} cannot run here."
    paced = [row for row in own if not row["closed_loop"]]
    said = [*_idle(paced), *_knee(own, paced)]
    if slo:
        highest = _highest(engine, rows)
        said.append(f"{slo} is met at no rate" if highest is None else f"{slo} is met up to {_fps(highest)}")
    return f"{engine}: {'; '.join(said)}."


def _idle(paced: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    with_penalty = [row for row in paced if row["idle_penalty"] is not None]
    if with_penalty:
        worst = max(with_penalty, key=lambda row: float(row["idle_penalty"]["value"]))
        times = worst["idle_penalty"]
        yield (
            f"an inference takes {times['value']:.2f} times as long at {_fps(worst['fps'])} as back to back "
            f"({times['low']:.2f} to {times['high']:.2f})"
        )


def _knee(own: Sequence[Mapping[str, Any]], paced: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    keeping = [row["fps"] for row in paced if row["drops_percent"] < KEEPS_UP_PERCENT]
    if paced:
        yield (
            f"it keeps up with {_fps(max(keeping, key=Fraction))}"
            if keeping
            else "it keeps up with none of the rates"
        )
    yield from (f"as fast as it goes: {row['delivered_rate']:.1f} fps" for row in own if row["closed_loop"])


def _fps(rate: str) -> str:
    return told(Fraction(rate))
