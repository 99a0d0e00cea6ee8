"""From a model to its INT8 form, by NNCF's post-training quantization; NNCF is imported only here.

Two steps decide whether it pays. First, activations are fused, so that the quantizer sees one operation where an
export writes two (x and sigmoid(x)). Otherwise it quantizes between them; the CPU then runs them separately from
their convolution, which costs all that INT8 gained. Second, the decoding of the last convolutions' output is not
quantized: it takes no time, and boxes in 8 bits jump.

NNCF has to be given the model type of transformers. Otherwise it also quantizes their layer normalisations and the
sums around them, which destroys the scores.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from streamer.detection.head import Array
from streamer.detection.ports import fixed
from streamer.detection.preprocess import Preprocess
from streamer.errors import EngineUnavailable, ModelError
from streamer.frame import Image
from streamer.models.model import Model
from streamer.models.openvino_ir import at_fixed_size
from streamer.vendors.openvino_quiet import apply_moc_transformations, core, ov

CONVOLUTIONS = ("Convolution", "GroupConvolution")
MATRIX = "MatMul"
CARRIES = ("Transpose", "Reshape", "Squeeze", "Unsqueeze")
NO_WORK = ("Parameter", "Constant", "Result")


def check_extra() -> None:
    """Raises EngineUnavailable when NNCF is not installed."""
    if not find_spec("nncf"):
        raise EngineUnavailable("quantizing needs NNCF: pip install 'streamer[quantize]'")


def quantize(source: Path, images: Iterable[Image], samples: int, model: Model, target: Path) -> None:
    """Quantizes the ONNX file or IR of ``model`` at ``source``, and writes the IR ``target`` (.xml, .bin beside it).

    Weights and activations get 8 bits, by NNCF's MIXED preset, and its scheme for transformers where the model has
    layer normalisations. All else keeps FP16 weights. ``samples`` of the preprocessed ``images`` calibrate it; they
    may be iterated more than once. Raises ModelError when it cannot be quantized, EngineUnavailable without NNCF.
    """
    check_extra()
    read = core().read_model(source)
    at_fixed_size(read, model.signature)
    apply_moc_transformations(read, cf=False)
    picture, port = model.signature.picture, model.signature.picture_port
    preprocess = Preprocess(port, model.input_size, model.input)
    others = model.decoder().other_inputs()

    def tensors(image: Image) -> dict[int, Array]:
        prepared = np.empty(fixed(port), port.dtype)
        preprocess(image, prepared)
        return {picture: prepared, **others}

    try:
        with quiet_nncf() as nncf:
            quantized = nncf.quantize(
                read,
                nncf.Dataset(images, tensors),
                preset=nncf.QuantizationPreset.MIXED,
                model_type=nncf.ModelType.TRANSFORMER if is_transformer(read) else None,
                subset_size=samples,
                ignored_scope=nncf.IgnoredScope(names=decoding(read), validate=False),
            )
    except RuntimeError as error:  # NNCF's and OpenVINO's alike
        raise ModelError(f"{source.name} cannot be quantized: {error}") from error
    if not any(operation.get_type_name() == "FakeQuantize" for operation in quantized.get_ops()):
        raise ModelError(f"{source.name} cannot be quantized: it has no trained layer")
    ov.save_model(quantized, target, compress_to_fp16=True)


def is_transformer(model: ov.Model) -> bool:
    """A model with fused operations has layer normalisations; those of convolutional models are over an area."""
    return any(operation.get_type_name() == "MVN" and _of_features(operation) for operation in model.get_ops())


def _of_features(normalisation: Any) -> bool:
    """It is over the last side alone."""
    axes = normalisation.input_value(1).get_node()
    rank = len(normalisation.get_input_partial_shape(0))
    return axes.get_type_name() == "Constant" and [int(axis) % rank for axis in axes.data.ravel()] == [rank - 1]


def decoding(model: ov.Model) -> list[str]:
    """The names of the operations that decode the outputs of the last trained layers into boxes and scores.

    Trained layers are convolutions, and in a transformer also matrix multiplications. A layer that averages over a
    softmax (distribution focal loss) is not trained and belongs to the decoding.
    """
    kinds = (*CONVOLUTIONS, MATRIX) if is_transformer(model) else CONVOLUTIONS
    leads_on: set[str] = set()
    found = []
    for operation in reversed(model.get_ordered_ops()):
        name = operation.get_friendly_name()
        into = [target.get_node() for output in operation.outputs() for target in output.get_target_inputs()]
        learned = operation.get_type_name() in kinds and _has_weights(operation) and not _follows_softmax(operation)
        if learned or any(node.get_friendly_name() in leads_on for node in into):
            leads_on.add(name)
        elif operation.get_type_name() not in NO_WORK:
            found.append(name)
    return found


def _has_weights(operation: Any) -> bool:
    """One of its operands is constant; attention multiplies two that are not."""
    return any(_is_constant(value.get_node()) for value in operation.input_values())


def _is_constant(node: Any) -> bool:
    while node.get_type_name() in (*CARRIES, "Convert"):
        node = node.input_value(0).get_node()
    return bool(node.get_type_name() == "Constant")


def _follows_softmax(operation: Any) -> bool:
    before = operation.input_value(0).get_node()
    while before.get_type_name() in CARRIES:
        before = before.input_value(0).get_node()
    return bool(before.get_type_name().startswith("Softmax"))


@contextlib.contextmanager
def quiet_nncf() -> Iterator[ModuleType]:
    """NNCF, imported and used without telemetry and output.

    It sends an event of each call to an analytics service unless it believes that it runs in its makers' CI.
    """
    os.environ.setdefault("NNCF_CI", "1")
    # NNCF loads PyTorch where it is installed, which warns that there is no GPU.
    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)
    with contextlib.redirect_stdout(io.StringIO()):
        import nncf

        nncf.set_log_level(logging.ERROR)
        yield nncf
