"""The rows of a comparison: the figures of runs of the same frames, a row for each, as ``compare.json`` has them."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypedDict

import numpy as np

from streamer.engines.config import precision_of
from streamer.engines.equivalence import Sameness, configuration
from streamer.engines.spec_parser import parse_spec
from streamer.errors import SinkError
from streamer.run.manifest import Verdict
from streamer.run.measured_parts import OutcomesPart
from streamer.rundir.columns import Columns, read_all_columns
from streamer.rundir.paths import FRAMES
from streamer.stats.speed_ratio import (
    MARGIN,
    Estimate,
    Speed,
    between_processes,
    quantile_of,
    ratio_by_rounds,
    ratio_unpaired,
    speed,
)
from streamer.studies.compare.accuracy import Scored
from streamer.studies.interleave import LEAST_FRAMES
from streamer.studies.run_figures import (
    EstimatePart,
    PercentilesPart,
    drops_percent,
    milliseconds,
    outcomes,
    percentiles,
    ratio,
    read_manifest,
)

LEAST_AGREEMENT = 0.9
"""An engine whose agreement with the reference is lower disagrees, as in ``streamer parity``."""


class WorthPart(TypedDict):
    """The scores of an engine's detections; null for a score that is not known.

    ``agreement_share`` is the share of detections that it has in common with the reference.
    """

    agreement: Literal["agrees", "disagrees", "unchecked"]
    agreement_share: float | None
    offline_map50: float | None
    streaming_map50: float | None


class _Named(TypedDict):
    engine: str
    speed: Literal["baseline", "faster", "slower", "no difference", "unavailable"]
    why: str | None


class EngineRow(_Named, WorthPart):
    """An engine of ``compare.json``, as ``engine`` names it; ``why`` is the reason when it is unavailable.

    ``speed`` is relative to the baseline. ``ratio_*`` are percentiles of its result latency over the baseline's,
    ``median_ms`` is the median of its result latency; they are null where too little was seen. ``*_ms`` are
    milliseconds. ``same_as`` names an earlier engine that runs in the same configuration. ``directory`` is its run
    directory, relative to that of the comparison. An engine that is unavailable has no run: all the rest is null.
    """

    precision: str | None
    devices: str | None
    same_as: str | None
    read_ms: float | None
    compile_ms: float | None
    first_inference_ms: float | None
    frames: OutcomesPart | None
    drops_percent: float | None
    service_ms: PercentilesPart | None
    result_latency_ms: PercentilesPart | None
    latency_ms: PercentilesPart | None
    age_ms: PercentilesPart | None
    median_ms: EstimatePart | None
    ratio_p50: EstimatePart | None
    ratio_p95: EstimatePart | None
    peak_resident_mb: float | None
    cpu_ms_per_frame: float | None
    slo: Literal["met", "missed"] | None
    verdict: Verdict | None
    directory: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One run to be compared, which is called ``name`` everywhere.

    ``directory`` is None when it cannot run here or failed, and ``why`` says so. ``file`` identifies the model file
    that it ran. ``scored`` are the scores of its detections, None when it was not scored.

    ``block`` of its frames are about a second. ``starts`` are the frames with which its rounds begin; all runs have
    the same number of rounds, each at about the same time. It is None when the runs took no turns. ``frames`` is the
    number of frames that count, from the first on (None: all).
    """

    name: str
    directory: Path | None
    why: str | None = None
    file: str = ""
    scored: Scored | None = None
    block: int = LEAST_FRAMES
    starts: Sequence[int] | None = None
    frames: int | None = None


@dataclass(frozen=True, slots=True)
class _Read:
    """A run directory, read: its manifest, and the columns of the frames that count."""

    entry: Entry
    manifest: Mapping[str, Any]
    columns: Columns


class Table:
    """The rows of a comparison.

    ``baseline`` is the name of the entry that the others are compared with. The directories of the runs are named
    relative to ``beside``. Raises SinkError when a run cannot be read.
    """

    def __init__(self, entries: Sequence[Entry], baseline: str, *, beside: Path) -> None:
        self._entries = entries
        self._beside = beside
        self.runs = {entry.name: _read(entry, entry.directory) for entry in entries if entry.directory is not None}
        self.baseline = baseline

    def rows(self) -> list[EngineRow]:
        """A row per entry, in the order of the entries."""
        sameness = Sameness()
        return [
            self._row(self.runs[entry.name], sameness) if entry.name in self.runs else _unavailable(entry)
            for entry in self._entries
        ]

    def ratio(self, baseline: str, other: str, p: float) -> Estimate | None:
        """The percentile ``p`` (0 to 1) of the other's result latency over the baseline's; None when they are few."""
        one, two = self.runs[baseline], self.runs[other]
        these, those = one.columns.result_latency, two.columns.result_latency
        if one.entry.starts is None or two.entry.starts is None:
            found = ratio_unpaired(these, those, p, (one.entry.block, two.entry.block))
        else:
            rounds = np.split(these, one.entry.starts[1:]), np.split(those, two.entry.starts[1:])
            found = ratio_by_rounds(*rounds, p)
        # The advice may compare any two engines, and a single wrong comparison makes it wrong.
        return None if found is None else between_processes(found, MARGIN * math.comb(len(self.runs), 2))

    def _row(self, run: _Read, sameness: Sameness) -> EngineRow:
        entry, manifest, columns = run.entry, run.manifest, run.columns
        engine, resources = manifest["engine"], manifest["resources"]
        frames = outcomes(columns)
        is_baseline = entry.name == self.baseline
        ratio_p50, ratio_p95 = (
            None if is_baseline else self.ratio(self.baseline, entry.name, p) for p in (0.5, 0.95)
        )
        runs_as = configuration(
            parse_spec(engine["spec"]),
            entry.file,
            engine["requests"],
            engine["execution_devices"],
            engine["config_in_force"],
        )
        return {
            "engine": entry.name,
            "speed": (Speed.BASELINE if is_baseline else _speed(ratio_p50)).value,
            "why": entry.why,
            **_worth(entry.scored),
            "precision": precision_of(engine["config_in_force"]) or None,
            "devices": " ".join(engine["execution_devices"]),
            "same_as": sameness.first(runs_as, entry.name),
            "read_ms": engine["read_ms"],
            "compile_ms": engine["compile_ms"],
            "first_inference_ms": engine["first_inference_ms"],
            "frames": frames,
            "drops_percent": drops_percent(frames),
            "service_ms": percentiles(columns.service),
            "result_latency_ms": percentiles(columns.result_latency),
            "latency_ms": percentiles(columns.latency),
            "age_ms": None if manifest["run"]["closed_loop"] else percentiles(columns.age()),
            "median_ms": milliseconds(quantile_of(columns.result_latency, 0.5, entry.block)),
            "ratio_p50": ratio(ratio_p50),
            "ratio_p95": ratio(ratio_p95),
            "peak_resident_mb": resources["peak_resident_mb"],
            "cpu_ms_per_frame": _cpu_ms(manifest),
            "slo": manifest["slo"],
            "verdict": manifest["verdict"],
            "directory": os.path.relpath(run.entry.directory or "", self._beside),
        }


def _read(entry: Entry, directory: Path) -> _Read:
    try:
        columns = read_all_columns(directory)
    except (OSError, EOFError, ValueError, LookupError) as error:
        raise SinkError(f"{directory / FRAMES} cannot be read: {error}") from error
    return _Read(entry, read_manifest(directory), columns.first(entry.frames))


def _speed(ratio: Estimate | None) -> Speed:
    """The verdict; too few frames show no difference."""
    return Speed.NO_DIFFERENCE if ratio is None else speed(ratio)


def _unavailable(entry: Entry) -> EngineRow:
    return {
        "engine": entry.name,
        "speed": Speed.UNAVAILABLE.value,
        "why": entry.why,
        **_worth(None),
        "precision": None,
        "devices": None,
        "same_as": None,
        "read_ms": None,
        "compile_ms": None,
        "first_inference_ms": None,
        "frames": None,
        "drops_percent": None,
        "service_ms": None,
        "result_latency_ms": None,
        "latency_ms": None,
        "age_ms": None,
        "median_ms": None,
        "ratio_p50": None,
        "ratio_p95": None,
        "peak_resident_mb": None,
        "cpu_ms_per_frame": None,
        "slo": None,
        "verdict": None,
        "directory": None,
    }


def _worth(scored: Scored | None) -> WorthPart:
    scored = scored or Scored()
    share = None if scored.agreement is None else scored.agreement.smaller
    return {
        "agreement": "unchecked" if share is None else "agrees" if share >= LEAST_AGREEMENT else "disagrees",
        "agreement_share": _rounded(share),
        "offline_map50": _rounded(scored.offline_map50),
        "streaming_map50": _rounded(scored.streaming_map50),
    }


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 4)


def _cpu_ms(manifest: Mapping[str, Any]) -> float | None:
    """The CPU time per delivered frame in milliseconds, of the whole run but the warm-up."""
    delivered, cpu_s = manifest["frames"]["delivered"], manifest["resources"]["cpu_s"]
    return round(1000 * cpu_s / delivered, 3) if delivered and cpu_s is not None else None
