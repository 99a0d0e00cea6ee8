"""The result of a benchmark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, cast

from streamer.charts.shown import Shown
from streamer.studies.bench.chart import CHART_FILE
from streamer.studies.bench.document import NAME, SCHEMA_VERSION, BenchDocument
from streamer.studies.read_study import read_study

SHOWN = ("mean", "p50", "p95", "p99", "max")
"""The statistics that a notebook shows."""


@dataclass(frozen=True, slots=True, repr=False)
class BenchResult(Shown):
    """A finished benchmark: its directory, and its document, which is ``bench.json``.

    ``interrupted`` is what stopped it, as in SIGINT; None when it came to its end.
    """

    CHART: ClassVar = CHART_FILE

    directory: Path
    document: BenchDocument
    interrupted: str | None

    def _rows(self) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
        rows: Sequence[Mapping[str, Any]] = self.document["engines"]
        figures = [[row[f"{name}_ms"] for name in SHOWN] for row in rows]
        return ("ms", "in", *SHOWN, "same as"), [
            (
                row["engine"],
                row["precision"] or "",
                *("" if value is None else f"{value:.2f}" for value in values),
                "unavailable" if row["why"] else row["same_as"] or "",
            )
            for row, values in zip(rows, figures, strict=True)
        ]


def read_bench(directory: Path) -> BenchResult:
    """The benchmark whose ``bench.json`` is in the directory. Raises UsageError when it cannot be read."""
    document, interrupted = read_study(directory / f"{NAME}.json", SCHEMA_VERSION)
    return BenchResult(directory, cast(BenchDocument, document), interrupted)
