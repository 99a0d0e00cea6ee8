"""The result of a study of paces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, cast

from streamer.charts.shown import Shown
from streamer.studies.pace.chart import CHART_FILE
from streamer.studies.pace.document import NAME, SCHEMA_VERSION, PaceDocument
from streamer.studies.read_study import read_study
from streamer.studies.table_cells import number, percent, rate, ratio


@dataclass(frozen=True, slots=True, repr=False)
class PaceResult(Shown):
    """A finished study of paces: its directory, and its document, which is ``pace.json``.

    ``interrupted`` is what ended it early, as in SIGINT, None when it came to its end. An interrupted study does not
    replace an earlier one: ``directory`` is then ``unfinished-pace`` within that of the earlier one.
    """

    CHART: ClassVar = CHART_FILE

    directory: Path
    document: PaceDocument
    interrupted: str | None

    def _rows(self) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
        headings = ("engine", "fps", "done/s", "drops", "infer", "times", "p50 ms", "p95 ms")
        return headings, [
            (
                row["engine"],
                rate(row["fps"]),
                number(row["delivered_rate"], 1),
                percent(row["drops_percent"]),
                number(row["infer_median_ms"] and row["infer_median_ms"]["value"], 1),
                ratio(row["idle_penalty"]),
                number(row["result_latency_ms"] and row["result_latency_ms"]["p50"], 1),
                number(row["result_latency_ms"] and row["result_latency_ms"]["p95"], 1),
            )
            for row in self.document["rates"]
        ]


def read_pace(directory: Path) -> PaceResult:
    """The study whose ``pace.json`` is in the directory. Raises UsageError when it cannot be read."""
    document, interrupted = read_study(directory / f"{NAME}.json", SCHEMA_VERSION)
    return PaceResult(directory, cast(PaceDocument, document), interrupted)
