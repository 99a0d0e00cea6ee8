"""From a model to its INT8 form, by NNCF's post-training quantization; NNCF is imported only here.

Two things decide whether that is worth it. Activations are fused first, so that the quantizer sees one operation
where an export writes two (x and sigmoid(x)): otherwise it quantizes between them, and the CPU runs them apart from
their convolution, which costs all that INT8 gained. And what turns the last convolutions' output into boxes stays as
it is: it takes no time, and boxes in 8 bits jump.
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
import numpy.typing as npt

from streamer.detection.preprocess import Fit, Preprocess
from streamer.errors import EngineUnavailable, ModelError
from streamer.frame import Image
from streamer.vendors.openvino_quiet import apply_moc_transformations, ov

CONVOLUTIONS = ("Convolution", "GroupConvolution")
CARRIES = ("Transpose", "Reshape", "Squeeze", "Unsqueeze")
NO_WORK = ("Parameter", "Constant", "Result")

Tensor = npt.NDArray[np.float32]


def check_extra() -> None:
    """Raises EngineUnavailable when NNCF is not installed."""
    if not find_spec("nncf"):
        raise EngineUnavailable("quantizing needs NNCF: pip install 'streamer[quantize]'")


def quantize(
    source: Path, images: Iterable[Image], samples: int, input_size: tuple[int, int], fit: Fit, target: Path
) -> None:
    """Quantizes the ONNX file or IR at ``source``, calibrated on ``images`` as preprocess prepares them.

    Weights and activations in 8 bits, NNCF's MIXED preset; what is not quantized keeps FP16 weights. ``images`` may
    be gone through more than once. Writes the IR ``target`` (.xml, and .bin beside it). Raises ModelError when it
    cannot be quantized.
    """
    check_extra()
    model = ov.Core().read_model(source)
    if model.is_dynamic():
        model.reshape([1, 3, *input_size])
    apply_moc_transformations(model, cf=False)
    preprocess = Preprocess(input_size, fit)

    def tensor(image: Image) -> Tensor:
        prepared = np.empty((1, 3, *input_size), np.float32)
        preprocess(image, prepared)
        return prepared

    try:
        with quiet_nncf() as nncf:
            quantized = nncf.quantize(
                model,
                nncf.Dataset(images, tensor),
                preset=nncf.QuantizationPreset.MIXED,
                subset_size=samples,
                ignored_scope=nncf.IgnoredScope(names=decoding(model), validate=False),
            )
    except RuntimeError as error:  # NNCF's and OpenVINO's alike
        raise ModelError(f"{source.name} cannot be quantized: {error}") from error
    if not any(operation.get_type_name() == "FakeQuantize" for operation in quantized.get_ops()):
        raise ModelError(f"{source.name} cannot be quantized: it has no convolution that has learnt anything")
    ov.save_model(quantized, target, compress_to_fp16=True)


def decoding(model: ov.Model) -> list[str]:
    """The names of the operations that make boxes and scores of what the last learned convolutions put out.

    The convolution that averages over a softmax (distribution focal loss) has learnt nothing and belongs to them.
    """
    leads_on: set[str] = set()
    found = []
    for operation in reversed(model.get_ordered_ops()):
        name = operation.get_friendly_name()
        into = [target.get_node() for output in operation.outputs() for target in output.get_target_inputs()]
        learned = operation.get_type_name() in CONVOLUTIONS and not _follows_softmax(operation)
        if learned or any(node.get_friendly_name() in leads_on for node in into):
            leads_on.add(name)
        elif operation.get_type_name() not in NO_WORK:
            found.append(name)
    return found


def _follows_softmax(operation: Any) -> bool:
    before = operation.input_value(0).get_node()
    while before.get_type_name() in CARRIES:
        before = before.input_value(0).get_node()
    return bool(before.get_type_name().startswith("Softmax"))


@contextlib.contextmanager
def quiet_nncf() -> Iterator[ModuleType]:
    """NNCF, imported and used so that it neither reports home nor prints.

    It sends an event of each call to an analytics service unless it believes to be in its makers' CI.
    """
    os.environ.setdefault("NNCF_CI", "1")
    # Where PyTorch is installed NNCF loads it, and it complains that there is no GPU.
    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)
    with contextlib.redirect_stdout(io.StringIO()):
        import nncf

        nncf.set_log_level(logging.ERROR)
        yield nncf
