"""Makes a `Model` from a path, with the checks that every model goes through."""

from __future__ import annotations

from pathlib import Path

from streamer.detection.head import Head
from streamer.detection.heads import recognise, settle
from streamer.detection.input_spec import InputSpec
from streamer.errors import ModelError, UsageError
from streamer.models.checkpoint import check_extra, look_at, untrusted
from streamer.models.coco_names import COCO_NAMES
from streamer.models.files import KINDS, model_sha256, parts
from streamer.models.folder import Labels
from streamer.models.input_choice import NOTHING, Declared, choose_input
from streamer.models.metadata import ULTRALYTICS, Facts, Metadata, Size
from streamer.models.model import Model
from streamer.models.probe import answer_of, check_answer
from streamer.models.store import may_be_loaded

ARCHIVES = (".zip", ".tar", ".tgz", ".gz", ".xz")
MOST_NAMED = 3
"""An error names at most so many missing files."""


def describe(
    path: Path,
    *,
    trust: bool,
    size: Size | None = None,
    names: tuple[str, ...] | None = None,
    given: Declared = NOTHING,
    beside: Labels | None = None,
    run: bool = False,
) -> tuple[Model, Facts]:
    """The model at ``path``, without what was made from it, and its facts.

    ``size`` (height, width) is for a model that takes any size. ``names`` and the ``given`` parts of preprocessing
    replace its own; names ``beside`` it are used where it has none. ``run`` runs it once on a black image; an
    end-to-end head is always run. Raises UsageError when there is no such file, UntrustedModel for a .pt that is not
    trusted, unless ``trust`` allows it, and ModelError when it is not a detector.
    """
    kind = kind_at(path)
    hashed = model_sha256(path)
    facts = _facts(path, kind, hashed, size, trust=trust)
    known, whose = _names(path, names, facts.metadata, beside)
    head, room = _head(path, facts, None if known is None else len(known), run=run)
    quantized = kind == "ir" and facts.quantized
    metadata = facts.metadata
    spec, by = _input(path, head, facts, given)
    model = Model(
        name=path.stem,
        path=path,
        files={kind: path, "int8": path} if quantized else {kind: path},
        hashes={kind: hashed, "int8": hashed} if quantized else {kind: hashed},
        signature=facts.signature,
        head=head.name,
        names=_labels(path, known, room, whose),
        input=spec,
        input_by=by,
        stride=metadata.stride,
        dynamic=facts.dynamic,
        confidence=metadata.confidence,
        iou=metadata.iou,
        doubts=tuple(doubts_of(metadata)),
    )
    return model, facts


def _input(path: Path, head: Head, facts: Facts, given: Declared) -> tuple[InputSpec, dict[str, str]]:
    """The preprocessing, and the origin of each part. Raises ModelError for a request that streamer does not know."""
    metadata, port = facts.metadata, facts.signature.picture_port
    # All of Ultralytics' models take the preprocessing of their kind of head.
    declared = {
        part: (getattr(head.assumed, part) if by == ULTRALYTICS else value, by)
        for part, (value, by) in metadata.input.items()
    }
    try:
        return choose_input(head.assumed, declared, given, port, unclear=metadata.unclear, swapped=metadata.swapped)
    except ModelError as error:
        raise ModelError(f"{path.name}: {error}") from error


def doubts_of(metadata: Metadata) -> list[str]:
    """Sentences about metadata that contradicts how streamer runs the model."""
    if metadata.batch is None or metadata.batch <= 1:
        return []
    return [
        f"its metadata says that {metadata.batch} images go in at a time, and it is run with one: export it again "
        "with batch=1, if it finds less than it should"
    ]


def _head(path: Path, facts: Facts, names: int | None, *, run: bool) -> tuple[Head, int | None]:
    """The head of the file, and how many classes its outputs have room for; None where that is unknown.

    The file is run where its shapes do not determine the head, or where ``run`` requests it.
    """
    signature = facts.signature
    hints = facts.metadata.hints(names)
    try:
        found = recognise(signature, hints)
    except ModelError as error:
        raise ModelError(f"{path.name} is {error}") from error
    declared = found.kind.declared_classes(signature, hints)
    first = found.kind(signature, declared or names)
    answer = facts.answer
    if answer is None and (run or found.others or first.suppressed):
        answer = answer_of(path, signature, first.other_inputs())
    if answer is None:
        return first, room_of(first) or declared
    try:
        head = settle(found, signature, declared or names, answer)
    except ModelError as error:
        raise ModelError(f"{path.name}: {error}") from error
    check_answer(path, head, names, answer)
    return head, room_of(head) or declared


def room_of(head: Head) -> int | None:
    """How many classes the outputs of a head have room for; None where their shapes do not determine it."""
    return head.classes_of(head.model)


def kind_at(path: Path) -> str:
    """The kind of the file at ``path``. Raises UsageError when there is none, ModelError when it is no model."""
    if not path.exists():
        raise UsageError(f"no such model: {path}; give the path of a .onnx, .xml or .pt")
    kind = KINDS.get(path.suffix.lower())
    if path.is_dir():
        raise ModelError(
            f"{path} is a folder: give the .onnx, .xml or .pt in it, or let streamer models import find it"
        )
    if kind is None or not path.is_file():
        packed = "; unpack it, and give its folder" if path.suffix.lower() in ARCHIVES else ""
        raise ModelError(f"{path} is not a model: give a .onnx, an OpenVINO .xml or a .pt file{packed}")
    if missing := [part.relative_to(path.parent).as_posix() for part in parts(path) if not part.is_file()]:
        first, others = missing[:MOST_NAMED], len(missing) - MOST_NAMED
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


def _names(
    path: Path, given: tuple[str, ...] | None, metadata: Metadata, beside: Labels | None
) -> tuple[tuple[str, ...] | None, str]:
    """The names given, else the metadata's, else those beside it; None for none. And the beginning of a sentence.

    Raises ModelError for names that cannot be read.
    """
    if given is not None:
        return given, "the names given are"
    if metadata.names is None and beside is not None:
        return beside.names, f"{beside.path.name} beside it names"
    if metadata.names is None and metadata.unreadable is not None:
        raise ModelError(
            f"{path.name}: its metadata, or the metadata.yaml beside it, has class names that cannot be read, "
            f"{metadata.unreadable[:40]!r}: import it with --names FILE"
        )
    return metadata.names, "its metadata, or the metadata.yaml beside it, names"


def _labels(path: Path, names: tuple[str, ...] | None, classes: int | None, whose: str) -> tuple[str, ...]:
    """The names. Raises ModelError where there are not as many as classes.

    Without names: COCO's for 80 classes, else class_0, class_1 and so on; none where their number is unknown.
    """
    if names is None:
        return COCO_NAMES if classes == len(COCO_NAMES) else tuple(f"class_{i}" for i in range(classes or 0))
    if classes not in (None, len(names)):
        raise ModelError(
            f"{path.name} puts out {classes} classes and {whose} {len(names)}: give a name per class with --names "
            "FILE, if it is a plain detector"
        )
    return names
