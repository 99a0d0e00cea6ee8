"""``parity.csv``: a row per engine, written as soon as the engine is done."""

from __future__ import annotations

from typing import TypedDict, cast

from streamer.accuracy.agreement import Agreement
from streamer.studies.parity.rows import EngineParity

FILE = "parity.csv"


class ParityRow(TypedDict):
    """A row of ``parity.csv``; null: the engine does not have it.

    ``verdict`` is reference, agrees, disagrees, unchecked or unavailable, and ``why`` is why it is unavailable.
    ``precision`` and ``devices`` are the effective ones. ``compared`` counts the detections in both directions;
    ``agreement`` is the smaller of both shares. ``box_px_*`` and ``confidence_*`` are differences between pairs.
    ``objects``, ``map50`` and ``map50_95`` need ground truth.
    """

    engine: str
    verdict: str
    why: str | None
    precision: str | None
    devices: str | None
    same_as: str | None
    frames: int
    detections: int
    compared: int | None
    agreement: float | None
    agreement_there: float | None
    agreement_back: float | None
    box_px_mean: float | None
    box_px_max: float | None
    confidence_mean: float | None
    confidence_max: float | None
    objects: int | None
    map50: float | None
    map50_95: float | None


COLUMNS = ",".join(ParityRow.__annotations__)


def as_dict(row: EngineParity) -> ParityRow:
    """The row for files, by column; numbers have four decimals."""
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
    rounded = [round(value, 4) if isinstance(value, float) else value for value in values]
    return cast(ParityRow, dict(zip(ParityRow.__annotations__, rounded, strict=True)))


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
