"""The objectives of ``--slo``, against the figures of ``run.json``, which other checks verify."""

from __future__ import annotations

import operator
import re

from streamer.verification.manifest import NAME, Document
from streamer.verification.percentile_rule import FRAMES_NEEDED
from streamer.verification.reasons import Reasons, Unreadable

COUNTS = {
    name: {"drops": "dropped"}.get(name, name)
    for name in (
        *("drops", "delivered", "late", "missed", "abandoned"),
        *("decode_error", "source_error", "engine_error", "sink_error"),
    )
}
"""The names of counts in objectives, and in ``frames``."""
HOLDS = {"<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge}
IN_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0}
FORM = re.compile(
    r"\s*([a-z_]+)\s*(?:\.\s*([a-z]+[0-9.]*))?\s*(<=|>=|<|>)\s*([0-9]{1,15}(?:\.[0-9]{1,15})?)\s*([a-z%]*)\s*"
)


def check_slo(document: Document, reasons: Reasons) -> None:
    """Checks each requested comparison: the value found, and whether all are met. Raises Unreadable."""
    requested = document.text("run", "slo").split(",") if document.has("run", "slo") else []
    found = document.many("slo_checks")
    if len(found) != len(requested):
        reasons.add(f"{NAME} slo_checks: found {len(found)}, expected {len(requested)} as in run.slo")
        return
    all_met = True
    for text, one in zip(requested, found, strict=True):
        value, met, why = _scored(text, document)
        all_met = all_met and met
        expected = {"objective": text.strip(), "value": value, "met": met, "why": why}
        if one != expected or isinstance(one["value"], bool):
            reasons.add(f"{NAME} slo_checks: found {str(one)[:120]}, expected {expected}")
    slo = None if not requested else "met" if all_met else "missed"
    if document.get("slo") != slo:
        reasons.add(f"{NAME} slo: found {str(document.get('slo'))[:40]}, expected {slo or 'null'}")


def _scored(text: str, document: Document) -> tuple[float | None, bool, str]:
    """The value of an objective, whether it is met, and the text of why. Raises Unreadable."""
    match = FORM.fullmatch(text)
    if match is None:
        raise Unreadable(f"{NAME} run.slo: found {text[:60]!r}, expected comparisons")
    name, statistic, comparison, number, unit = match.groups()
    limit = float(number)
    if statistic is None:
        if name not in COUNTS:
            raise Unreadable(f"{NAME} run.slo: found {text[:60]!r}: there is no count {name}")
        value: float = document.whole("frames", COUNTS[name])
        if unit == "%":
            scheduled = document.whole("frames", "scheduled")
            value = 100 * value / scheduled if scheduled else 0.0
        return value, HOLDS[comparison](value, limit), f"{value:.5g}{unit}"
    field = statistic.replace(".", "")
    if unit not in IN_MS or field not in (*FRAMES_NEEDED, "mean", "max"):
        raise Unreadable(f"{NAME} run.slo: found {text[:60]!r}, expected a statistic and a time")
    if document.get(f"{name}_ms", field) is None:
        needed, has = FRAMES_NEEDED.get(field, 1), document.whole(f"{name}_ms", "n")
        return None, False, f"{name}.{statistic} needs {needed:,} frames, has {has:,}"
    value = float(document.number(f"{name}_ms", field))
    return value, HOLDS[comparison](value, limit * IN_MS[unit]), f"{value:.5g} ms"
