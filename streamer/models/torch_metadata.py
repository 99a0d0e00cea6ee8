"""The facts of a .pt file; reading them loads it and runs it once."""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import Any

from streamer.detection.head import Array
from streamer.detection.input_spec import InputSpec
from streamer.detection.ports import Port, Signature
from streamer.errors import ModelError
from streamer.models.checkpoint import load_checkpoint
from streamer.models.input_choice import all_declared
from streamer.models.labels import names_of
from streamer.models.metadata import (
    DEFAULT_SIZE,
    ULTRALYTICS,
    Facts,
    Metadata,
    Size,
    check_size,
    check_task,
    size_of,
    words_of,
)


def pt_facts(path: Path, sha256: str, size: Size | None) -> Facts:
    """The facts of a trusted .pt at ``size`` (height, width). Raises ModelError when it is no detector."""
    loaded = load_checkpoint(path, sha256)
    network = loaded.network
    metadata = _metadata(network)
    check_task(path, metadata)
    height, width = size or _trained_size(metadata)
    check_size(path, (height, width), metadata.stride)
    answer = _answer(path, network, (height, width))
    signature = Signature(
        (Port("images", (1, 3, height, width)),),
        tuple(Port("", tuple(output.shape), str(output.dtype)) for output in answer),
        (height, width),
    )
    return Facts(signature, metadata, dynamic=True, answer=answer, unpickled=loaded.unpickled)


def _metadata(network: Any) -> Metadata:
    last = network.model[-1]
    keypoints = getattr(last, "kpt_shape", None)
    return Metadata(
        names=names_of(network.names),
        task=network.task,
        stride=int(max(network.stride)),
        size=size_of(network.args.get("imgsz")),
        end_to_end=bool(getattr(last, "end2end", False)),
        layer=type(last).__name__,
        keypoints=None if keypoints is None else prod(keypoints),
        input=all_declared(ULTRALYTICS, InputSpec()),
    )


def _trained_size(metadata: Metadata) -> Size:
    """The size it was trained at, rounded up to a multiple of its stride, as Ultralytics does."""
    height, width = metadata.size or DEFAULT_SIZE
    stride = metadata.stride or 1
    return -(-height // stride) * stride, -(-width // stride) * stride


def _answer(path: Path, network: Any, size: Size) -> list[Array]:
    """The outputs for a black image, in the form of an export's."""
    import torch

    try:
        with torch.inference_mode():
            prediction = network(torch.zeros(1, 3, *size))
    except Exception as error:  # a network may raise anything for an image that it does not take
        raise ModelError(f"{path.name} does not take images of {words_of(size)}: {error}") from error
    return [output.numpy() for output in outputs_of(prediction)]


def outputs_of(prediction: Any) -> list[Any]:
    """The tensors in a network's result that its export puts out; the others are for training.

    They come first: boxes, or a pair of boxes and the prototypes of masks.
    """
    while isinstance(prediction, (tuple, list)):
        if all(hasattr(part, "shape") for part in prediction):
            return list(prediction)
        prediction = prediction[0]
    return [prediction]
