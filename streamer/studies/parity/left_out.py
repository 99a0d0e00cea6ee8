"""The parts of a source and its truth that a parity study left out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypedDict

from streamer.ledger.decode_errors import DecodeErrorsPart, decode_errors_text
from streamer.studies.parity.study import Parity


class FramesPart(TypedDict):
    """Counts of frames: in the ``source`` (null without an end), ``chosen`` of these, and ``compared``.

    The other frames chosen could not be decoded, or are ``missing``: the source ended before them.
    """

    source: int | None
    chosen: int
    compared: int
    decode_errors: DecodeErrorsPart
    missing: int


class TruthPart(TypedDict):
    """The parts of the truth that do not count.

    The model lacks its ``labels``, which have ``objects`` in the frames compared. ``crowds`` are regions in these
    frames that count neither way. ``images`` of the truth are not in the source.
    """

    labels: list[str]
    objects: int
    crowds: int
    images: int


def frames_part(study: Parity) -> FramesPart:
    """The counts of the source's frames, once the reference has seen them."""
    frames = study.frames
    return {
        "source": frames.info.frames,
        "chosen": len(frames.indices),
        "compared": len(study.compared),
        "decode_errors": frames.decode_errors.part(),
        "missing": frames.missing,
    }


def truth_part(study: Parity) -> TruthPart | None:
    """The parts of the truth that do not count; None without truth."""
    if study.truth is None:
        return None
    return {
        "labels": list(study.truth.unknown),
        "objects": sum(truth.unknown for truth in study.compared.values()),
        "crowds": sum(int(truth.crowd.sum()) for truth in study.compared.values()),
        "images": study.truth.beyond,
    }


def sentences(study: Parity) -> Iterator[tuple[str, str]]:
    """The same in words: pairs of a heading and a sentence."""
    frames, truth = frames_part(study), truth_part(study)
    if frames["source"] is None:
        yield "frames", f"the first {frames['chosen']:,} of a source without an end"
    elif frames["chosen"] < frames["source"]:
        yield "frames", f"{frames['chosen']:,} of {frames['source']:,}, spread evenly"
    chosen = f"of the {frames['chosen']:,} frames chosen"
    if lost := frames["chosen"] - frames["compared"] - frames["missing"]:
        yield "left out", f"{lost:,} {chosen} could not be decoded ({decode_errors_text([frames['decode_errors']])})"
    if frames["missing"]:
        yield "left out", f"{frames['missing']:,} {chosen} never came: the source ended before"
    if study.no_truth is not None:
        yield "no mAP", study.no_truth
    if study.truth is not None and truth is not None:
        yield "truth", f"{study.truth.name}{''.join(_without(truth))}"


def _without(truth: TruthPart) -> Iterator[str]:
    if truth["labels"]:
        labels, objects = ", ".join(truth["labels"]), _counted(truth["objects"], "object")
        yield f", without {labels}, which the model does not know ({objects})"
    if truth["crowds"]:
        yield f"; {_counted(truth['crowds'], 'crowd')} in the frames compared count neither way"
    if truth["images"]:
        yield f"; {_counted(truth['images'], 'image')} of it not in the source"


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
