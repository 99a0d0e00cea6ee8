"""Letting a model detect once, in a black image, and seeing whether the answer is one of a detector."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from streamer.detection.heads import Head
from streamer.errors import ModelError
from streamer.models.model import Model

Answer = npt.NDArray[np.float32]


def answer_of(model: Model) -> Answer:
    """The raw prediction of an ONNX file or IR. Raises ModelError when it cannot be run."""
    from streamer.models.openvino_metadata import first_reason
    from streamer.vendors.openvino_quiet import ov

    shape = [1, 3, *model.input_size]
    try:
        read = ov.Core().read_model(model.path)
        read.reshape(shape)
        # CPUs with bf16 would use it of their own accord; here only numbers and their ranges are asked for.
        compiled = ov.compile_model(read, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        answer: Answer = compiled([np.zeros(shape, np.float32)])[0].copy()
    except RuntimeError as error:
        raise ModelError(f"{model.path.name} cannot be run by OpenVINO: {first_reason(error)}") from error
    return answer


def check_answer(model: Model, answer: Answer) -> None:
    """Raises ModelError for an answer that no detector of the model's head and classes gives."""
    if tuple(answer.shape) != model.output_shape:
        raise ModelError(f"{model.path.name} puts out {list(answer.shape)}, and says {list(model.output_shape)}")
    if not np.isfinite(answer).all():
        raise ModelError(f"{model.path.name} puts out numbers that are not finite: export it again")
    if model.head is Head.END_TO_END:
        class_id = answer[0, :, 5]
        if (class_id != np.round(class_id)).any() or class_id.min() < 0:
            raise ModelError(f"{model.path.name} is no end-to-end detector: its last column holds no class numbers")
        if class_id.max() >= len(model.names):
            raise ModelError(
                f"{model.path.name} detects class {int(class_id.max())} and has names for {len(model.names)}: "
                "import it with --names FILE"
            )
