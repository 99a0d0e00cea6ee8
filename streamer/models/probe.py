"""Runs a model once on a black image, and checks that the outputs are a detector's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from streamer.detection.head import Array, Head, Outputs
from streamer.detection.ports import Signature, fixed
from streamer.errors import ModelError
from streamer.models.quantized_onnx import mend_of_quantized


def answer_of(path: Path, model: Signature, others: Mapping[int, Array]) -> list[Array]:
    """The outputs of an ONNX file or IR for a black image; ``others`` are its other inputs, by their number.

    Raises ModelError when it cannot be run.
    """
    from streamer.models.openvino_metadata import first_reason
    from streamer.vendors.openvino_quiet import core

    given = {at: np.zeros(fixed(port), port.dtype) for at, port in enumerate(model.inputs)} | dict(others)
    try:
        read = core().read_model(path)
        read.reshape({at: list(tensor.shape) for at, tensor in given.items()})
        # OpenVINO uses bf16 on CPUs that have it; the checks need the precision of f32.
        compiled = core().compile_model(read, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        found = compiled(given)
        return [found[at].copy() for at in range(len(model.outputs))]
    except RuntimeError as error:
        why = f"{first_reason(error)}{mend_of_quantized(path)}"
        raise ModelError(f"{path.name} cannot be run by OpenVINO: {why}") from error


def check_answer(path: Path, head: Head, names: int | None, answer: Outputs) -> None:
    """Raises ModelError for outputs that no detector with this head, and so many names, puts out."""
    for port, output in zip(head.model.outputs, answer, strict=True):
        if len(output.shape) != len(port.shape) or any(
            side not in (found, None) for side, found in zip(port.shape, output.shape, strict=True)
        ):
            raise ModelError(f"{path.name} puts out {list(output.shape)}, and says {port}")
        if not np.isfinite(output).all():
            raise ModelError(f"{path.name} puts out numbers that are not finite: export it again")
    class_id = head.decode(answer, -1.0)[2] if head.suppressed else ()
    if names is not None and len(class_id) and max(class_id) >= names:
        raise ModelError(
            f"{path.name} detects class {max(class_id)} and has names for {names}: import it with --names FILE"
        )
