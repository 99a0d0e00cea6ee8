"""The objectives of ``--slo``: the checks of each run, and in how many windows each was met."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from streamer.stats.slo import COMPARISONS, COUNTS, Objective, parse_slo
from streamer.studies.soak.verdict import Verdict
from streamer.studies.soak.windows_csv import WINDOW_COLUMNS, WindowRow


def objectives(rows: Sequence[WindowRow], manifests: Sequence[Mapping[str, Any] | None]) -> Verdict | None:
    """The verdict, None without an objective. Each objective must be met over every part that was not killed."""
    checks = [(part, check) for part, one in enumerate(manifests) if one for check in one["slo_checks"]]
    if not checks:
        return None
    several = len(manifests) > 1
    figures = []
    for part, check in checks:
        met = _in_windows([row for row in rows if row.part == part], parse_slo(check["objective"])[0])
        counts = {"windows_met": None if met is None else sum(met), "windows": None if met is None else len(met)}
        figures.append({"part": part, **check, **counts})
    texts = [_text(figure) + (f" in part {figure['part']}" if several else "") for figure in figures]
    return Verdict("slo", all(check["met"] for _, check in checks), "; ".join(texts), {"objectives": figures})


def _in_windows(rows: Sequence[WindowRow], one: Objective) -> list[bool] | None:
    """Whether each window that has the figure meets the objective; None when ``windows.csv`` has no such column."""
    column = COUNTS[one.name] if one.statistic is None else f"{one.name}_{one.statistic}_ms"
    if column not in WINDOW_COLUMNS.split(","):
        return None
    met = []
    for row in rows:
        value = getattr(row, column)
        if value is None or (one.share and not row.scheduled):
            continue
        met.append(COMPARISONS[one.comparison](100 * value / row.scheduled if one.share else value, one.limit))
    return met


def _text(figure: Mapping[str, Any]) -> str:
    text = f"{figure['objective']} {'met' if figure['met'] else 'missed'} with {figure['why']}"
    windows = figure["windows"]
    return text if not windows else f"{text}, in {figure['windows_met']:,} of {windows:,} windows"
