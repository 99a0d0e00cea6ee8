"""The result of a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, cast

from streamer.charts.shown import Shown
from streamer.studies.compare.chart import CHART_FILE
from streamer.studies.compare.document import NAME, SCHEMA_VERSION, ComparisonDocument
from streamer.studies.read_study import read_study
from streamer.studies.table_cells import number, percent, ratio


@dataclass(frozen=True, slots=True, repr=False)
class ComparisonResult(Shown):
    """A finished comparison: its directory, and its document, which is ``compare.json``.

    ``interrupted`` is what ended it early, as in SIGINT, None when it came to its end. An interrupted comparison does
    not replace an earlier one: ``directory`` is then ``unfinished-compare`` within that of the earlier one.
    """

    CHART: ClassVar = CHART_FILE

    directory: Path
    document: ComparisonDocument
    interrupted: str | None

    def _rows(self) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
        headings = ("engine", "p50 ms", "p95 ms", "drops", f"times {self.document['baseline']}'s", "speed")
        return headings, [
            (
                row["engine"],
                number(row["result_latency_ms"] and row["result_latency_ms"]["p50"], 1),
                number(row["result_latency_ms"] and row["result_latency_ms"]["p95"], 1),
                percent(row["drops_percent"]),
                ratio(row["ratio_p50"]),
                row["speed"],
            )
            for row in self.document["engines"]
        ]


def read_comparison(directory: Path) -> ComparisonResult:
    """The comparison whose ``compare.json`` is in the directory. Raises UsageError when it cannot be read."""
    document, interrupted = read_study(directory / f"{NAME}.json", SCHEMA_VERSION)
    return ComparisonResult(directory, cast(ComparisonDocument, document), interrupted)
