"""The document of a parity study, which ``--json`` prints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from streamer.accuracy.mean_average_precision import Accuracy
from streamer.detection.class_names import label_of
from streamer.studies.parity.left_out import FramesPart, TruthPart, frames_part, truth_part
from streamer.studies.parity.parity_csv import FILE, ParityRow, as_dict
from streamer.studies.parity.rows import EngineParity, plain_answer
from streamer.studies.parity.study import Parity


class ClassPart(TypedDict):
    """The accuracy of an engine for a class: the ``objects`` in the truth, and the average precision."""

    objects: int
    ap50: float | None
    ap50_95: float | None


class EnginePart(ParityRow):
    """One of the ``engines``: its row, and the precision of each class by its label, null without ground truth."""

    per_class: dict[str, ClassPart] | None


class ParityDocument(TypedDict):
    """The document; ``model`` and ``truth`` are names, null without ground truth, and ``file`` is ``parity.csv``."""

    source: str
    model: str
    reference: str
    min_agreement: float
    truth: str | None
    frames: FramesPart
    truth_left_out: TruthPart | None
    file: str
    answer: str
    engines: list[EnginePart]
    interrupted: bool


def document_of(study: Parity, rows: Sequence[EngineParity], out: Path, *, interrupted: bool) -> ParityDocument:
    """The document of a parity study, its fields in the order of reading."""
    return {
        "source": study.frames.info.uri,
        "model": study.model.name,
        "reference": study.reference.spec,
        "min_agreement": study.settings.min_agreement,
        "truth": None if study.truth is None else study.truth.name,
        "frames": frames_part(study),
        "truth_left_out": truth_part(study),
        "file": str(out / FILE),
        "answer": plain_answer(rows, len(study.others)),
        "engines": [{**as_dict(row), "per_class": _per_class(row.accuracy, study.model.names)} for row in rows],
        "interrupted": interrupted,
    }


def _per_class(accuracy: Accuracy | None, names: Sequence[str]) -> dict[str, ClassPart] | None:
    if accuracy is None:
        return None
    return {
        label_of(names, class_id): {
            "objects": one.objects,
            "ap50": _rounded(one.ap50),
            "ap50_95": _rounded(one.ap50_95),
        }
        for class_id, one in accuracy.per_class.items()
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
