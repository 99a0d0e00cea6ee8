"""The results of the tutorial's benchmark: a row per engine, and the answer in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypedDict, cast

from streamer.rundir.csv_column import Column, header
from streamer.stats.summary import Statistics
from streamer.studies import shared_columns as shared


class Against(StrEnum):
    """A program that runs beside the engines."""

    BENCHMARK_APP = "benchmark_app"
    """OpenVINO's own."""


AGAINST = Against.BENCHMARK_APP.value
"""The name of its row among the engines' rows."""
SHOWN = ("p50", "p95", "p99")


@dataclass(frozen=True, slots=True)
class Timed:
    """The times of an engine: of the first inference, and of ``each`` other one; ``fps`` is inferences a second."""

    first_ms: float
    fps: float
    each: Statistics


@dataclass(frozen=True, slots=True)
class Benched:
    """The result of an engine. ``device`` is the requested one; ``precision`` and ``devices`` are the effective ones.

    ``fed`` is the type of the numbers in its input. ``same_as`` is an earlier engine with the same configuration.
    ``timed`` is None for an engine that is unavailable; ``why`` then says why.
    """

    spec: str
    device: str
    why: str = ""
    fed: str = ""
    precision: str = ""
    devices: tuple[str, ...] = ()
    same_as: str | None = None
    timed: Timed | None = None


class BenchRow(TypedDict):
    """A row of ``bench.csv``, and one of the ``engines`` of ``bench.json``; null: the engine does not have it.

    ``why`` is why it is unavailable. ``input`` is the type of the numbers in its input. ``precision`` and ``devices``
    are the effective ones. ``*_ms`` are milliseconds, of ``inferences`` in a row; ``fps`` is inferences a second.
    """

    engine: str
    why: str | None
    input: str | None
    precision: str | None
    devices: str | None
    same_as: str | None
    inferences: int | None
    first_inference_ms: float | None
    mean_ms: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    max_ms: float | None
    fps: float | None


_PERCENTILE = f"percentiles of the time of one inference; {shared.WITHHELD}; `benchmark_app` reports its p50 alone"

COLUMNS = (
    Column("engine", "", "its SPEC, or `benchmark_app`"),
    shared.WHY,
    Column(
        "input",
        "",
        "the type of the numbers in its input: `float32`; `float64` with `--input tutorial`; `uint8` where "
        "preprocessing is in the graph; empty for `benchmark_app`",
    ),
    shared.PRECISION,
    shared.DEVICES,
    shared.SAME_AS,
    Column("inferences", "inferences", "how many were timed, one right after the other; without the first"),
    Column("first_inference_ms", "ms", "time of the engine's first inference, which is not in the other columns"),
    Column("mean_ms", "ms", "the mean time of one inference"),
    *(Column(f"{name}_ms", "ms", _PERCENTILE) for name in SHOWN),
    Column("max_ms", "ms", "the longest time of one inference"),
    Column("fps", "inferences a second", "how many inferences were done a second, by their times alone"),
)
"""The columns of the table, in the order of a row's fields."""
HEADER = header(COLUMNS)


def as_dict(row: Benched) -> BenchRow:
    """The row for files, by column."""
    head = (row.spec, row.why or None, row.fed or None, row.precision or None, " ".join(row.devices) or None)
    values = (*head, row.same_as, *_figures(row.timed))
    return cast(BenchRow, dict(zip(BenchRow.__annotations__, values, strict=True)))


def _figures(timed: Timed | None) -> tuple[float | None, ...]:
    if timed is None:
        return (None,) * 8
    each = timed.each
    percentiles = (each[name] for name in SHOWN)
    return (each.n, timed.first_ms, each.mean, *percentiles, each.max, round(timed.fps, 4))


def plain_answer(rows: Sequence[Benched], requested: int) -> str:
    """The rows in a sentence: the lowest and the highest mean of the ``requested`` engines back to back.

    No engine is called the fastest: they ran one after the other, so that noise may decide which is first.
    """
    engines = [row for row in rows if row.spec != AGAINST]
    ran = sorted(
        ((row.timed.each.mean or 0.0, row.timed.fps, row.spec) for row in engines if row.timed is not None),
    )
    if not ran:
        texts = ["Nothing was measured"]
    else:
        mean, fps, spec = ran[0]
        figure = f"{mean:.2f} ms an image ({fps:.2f} FPS)"
        texts = [f"Back to back {spec} takes {figure}"]
        if len(ran) > 1:
            highest, _, name = ran[-1]
            texts = [
                f"Back to back {spec} has the lowest mean, {figure}, {name} the highest, {highest:.2f} ms",
                "streamer compare shows which difference is more than noise",
            ]
    if missing := sum(row.timed is None for row in engines):
        texts.append(f"{missing} unavailable")
    if len(engines) < requested:
        texts.append(f"{requested - len(engines)} not reached")
    return f"{'; '.join(texts)}."
