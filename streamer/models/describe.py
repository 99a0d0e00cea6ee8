"""From a model's path to what is known of it: the checks that every model goes through."""

from __future__ import annotations

from pathlib import Path

from streamer.detection.heads import Head, recognise_head
from streamer.errors import ModelError, UsageError
from streamer.models.checkpoint import check_extra, look_at, untrusted
from streamer.models.coco_names import COCO_NAMES
from streamer.models.files import KINDS, model_sha256, parts
from streamer.models.metadata import Facts, Metadata, Size
from streamer.models.model import Model
from streamer.models.probe import answer_of, check_answer
from streamer.models.store import may_be_loaded

SAID = 3
"""Of so many files that are missing the names are told."""


def describe(
    path: Path,
    *,
    trust: bool,
    size: Size | None = None,
    names: tuple[str, ...] | None = None,
    run: bool = False,
) -> tuple[Model, Facts]:
    """The model at ``path``, without what has been made from it, and its facts.

    ``size`` is for one that takes any; ``names`` stand for its own; ``run`` lets it detect once, in a black image, as
    an end-to-end head always is. Raises UsageError when there is no such file,
    UntrustedModel for a .pt without ``trust`` that was never trusted, and ModelError for no detector.
    """
    kind = kind_at(path)
    hashed = model_sha256(path)
    facts = _facts(path, kind, hashed, size, trust=trust)
    try:
        head, classes = recognise_head(
            facts.output_shape, facts.input_size, end_to_end=bool(facts.metadata.end_to_end)
        )
    except ModelError as error:
        raise ModelError(f"{path.name} is {error}") from error
    quantized = kind == "ir" and facts.quantized
    model = Model(
        name=path.stem,
        path=path,
        files={kind: path, "int8": path} if quantized else {kind: path},
        hashes={kind: hashed, "int8": hashed} if quantized else {kind: hashed},
        input_size=facts.input_size,
        output_shape=facts.output_shape,
        head=head,
        names=_labels(path, names, facts.metadata, classes),
        stride=facts.metadata.stride,
        dynamic=facts.dynamic,
    )
    # The shape alone does not prove that the six columns are those of an end-to-end head.
    if run or head is Head.END_TO_END:
        check_answer(model, answer_of(model) if facts.answer is None else facts.answer)
    return model, facts


def kind_at(path: Path) -> str:
    """The kind of the file at ``path``. Raises UsageError when there is none, ModelError when it is no model."""
    if not path.exists():
        raise UsageError(f"no such model: {path}; give the path of a .onnx, .xml or .pt")
    kind = KINDS.get(path.suffix.lower())
    if kind is None or not path.is_file():
        raise ModelError(f"{path} is not a model: give a .onnx, an OpenVINO .xml or a .pt file")
    if missing := [part.relative_to(path.parent).as_posix() for part in parts(path) if not part.is_file()]:
        first, others = missing[:SAID], len(missing) - SAID
        more = f" and {others} more" if others > 0 else ""
        raise ModelError(f"{path} has no weights: put {', '.join(first)}{more} beside it")
    return kind


def _facts(path: Path, kind: str, hashed: str, size: Size | None, *, trust: bool) -> Facts:
    if kind == "pt":
        check_extra(path.name)
        look_at(path)
        if not trust and not may_be_loaded(hashed):
            raise untrusted(path)
        from streamer.models.torch_metadata import pt_facts

        return pt_facts(path, hashed, size)
    from streamer.models.openvino_metadata import openvino_facts

    return openvino_facts(path, kind, size)


def _labels(path: Path, given: tuple[str, ...] | None, metadata: Metadata, classes: int | None) -> tuple[str, ...]:
    """The names given, else those of the metadata, if they fit.

    Without any: COCO's for 80 classes, else class_0, class_1 and so on.
    """
    names = given or metadata.names
    if names is None and metadata.unreadable is not None:
        raise ModelError(
            f"{path.name}: its metadata, or the metadata.yaml beside it, has class names that cannot be read, "
            f"{metadata.unreadable[:40]!r}: import it with --names FILE"
        )
    if names is None:
        if classes is None:
            raise ModelError(
                f"{path.name} has an end-to-end head and no names, and only they tell how many classes there are: "
                "import it with --names FILE"
            )
        return COCO_NAMES if classes == len(COCO_NAMES) else tuple(f"class_{i}" for i in range(classes))
    if classes not in (None, len(names)):
        whose = "the names given are" if given is not None else "its metadata, or the metadata.yaml beside it, names"
        mend = (
            "give a name per class"
            if given is not None
            else "it is no plain detector, or import it with --names FILE"
        )
        raise ModelError(f"{path.name} puts out {classes} classes and {whose} {len(names)}: {mend}")
    return names
