"""``parity.csv``: a row per engine, written as soon as the engine is done."""

from __future__ import annotations

from typing import Any

from streamer.accuracy.agreement import Agreement
from streamer.studies.parity.rows import EngineParity

FILE = "parity.csv"
COLUMNS = (
    "engine,verdict,why,precision,devices,same_as,frames,detections,compared,agreement,agreement_there,agreement_back,"
    "box_px_mean,box_px_max,confidence_mean,confidence_max,objects,map50,map50_95"
)


def as_dict(row: EngineParity) -> dict[str, Any]:
    """A row by its columns; what an engine does not have is None, numbers have four decimals."""
    agreement, accuracy = row.agreement, row.accuracy
    values = (
        row.spec,
        row.verdict.value,
        row.why or None,
        row.precision or None,
        " ".join(row.devices) or None,
        row.same_as,
        row.frames,
        row.detections,
        *_agreement(agreement),
        *((None,) * 3 if accuracy is None else (accuracy.objects, accuracy.map50, accuracy.map50_95)),
    )
    return {
        name: round(value, 4) if isinstance(value, float) else value
        for name, value in zip(COLUMNS.split(","), values, strict=True)
    }


def _agreement(agreement: Agreement | None) -> tuple[float | None, ...]:
    if agreement is None:
        return (None,) * 8
    return (
        agreement.compared,
        agreement.smaller,
        agreement.there,
        agreement.back,
        agreement.box_px_mean,
        agreement.box_px_max,
        agreement.confidence_mean,
        agreement.confidence_max,
    )
