"""``parity.csv``: a row per engine, written as soon as the engine is done."""

from __future__ import annotations

from typing import TypedDict, cast

from streamer.accuracy.agreement import Agreement
from streamer.rundir.csv_column import Column, header
from streamer.studies import shared_columns as shared
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


_PAIRS = (
    "for the reference's detections over 0.4 that have a match: how far the edges of the box moved (the "
    "largest of the four), the mean and the maximum over these pairs; empty without a pair"
)
_CONFIDENCES = "for the same pairs: the absolute difference in confidence, the mean and the maximum"
_ACCURACY = "mean average precision as COCO's, at an IoU of 0.5, and over 0.5 to 0.95; empty without ground truth"

COLUMNS = (
    Column("engine", "", "its SPEC; the reference comes first"),
    Column(
        "verdict",
        "",
        "`reference`, `agrees` (an agreement of `--min-agreement` or more), `disagrees`, `unchecked` (neither found "
        "anything to compare), or `unavailable`; unlike in the other files",
    ),
    shared.WHY,
    shared.PRECISION,
    shared.DEVICES,
    shared.SAME_AS,
    Column("frames", "frames", "frames that the engine processed"),
    Column("detections", "detections", "detections in these frames with a confidence of `--conf` or more"),
    Column("compared", "detections", "how many detections over 0.4 the reference and the engine have, together"),
    Column(
        "agreement",
        "0 to 1",
        "a number, unlike in `compare.csv`: the smaller of the two shares that follow; empty for the reference, and "
        "where neither found anything over 0.4",
    ),
    Column(
        "agreement_there",
        "0 to 1",
        "of the reference's detections with a confidence over 0.4, the share that the engine matches: by one of the "
        "same class, with an IoU of 0.5 or more and any confidence of `--conf` or more; empty where there are none",
    ),
    Column(
        "agreement_back",
        "0 to 1",
        "of the engine's detections with a confidence over 0.4, the share that the reference matches in the same "
        "way; empty where there are none",
    ),
    Column("box_px_mean", "pixels of the source frame", _PAIRS),
    Column("box_px_max", "pixels of the source frame", _PAIRS),
    Column("confidence_mean", "0 to 1", _CONFIDENCES),
    Column("confidence_max", "0 to 1", _CONFIDENCES),
    Column("objects", "objects", "objects in the ground truth of these frames; empty without ground truth"),
    Column("map50", "0 to 1", _ACCURACY),
    Column("map50_95", "0 to 1", _ACCURACY),
)
"""The columns of the table, in the order of a row's fields."""
HEADER = header(COLUMNS)


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
