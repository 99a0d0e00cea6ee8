"""Models that tests build by hand: detectors and others, in a few kilobytes, without PyTorch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

IMAGE = (1, 3, 64, 64)
CELLS = 84
"""The number of predictions for an input of 64x64."""


def write_ir(
    path: Path,
    *outputs: npt.NDArray[Any],
    image: Sequence[int] = IMAGE,
    dtype: Any = np.float32,
    metadata: Mapping[str, Any] | None = None,
    labels: str | None = None,
    info: Mapping[str, str] | None = None,
    quantized: bool = False,
) -> Path:
    """An IR that answers every image with ``outputs``, whatever is in it.

    ``metadata`` is what Ultralytics writes into ONNX, ``labels`` what it writes into an IR; ``info`` goes into
    ``model_info``.
    """
    from streamer.vendors.openvino_quiet import ov

    op = ov.opset13
    images = op.parameter(list(image), dtype, "images")
    black = op.multiply(op.reduce_max(images, op.constant(np.arange(len(image))), keep_dims=False), _zero(dtype))
    if quantized:
        black = op.fake_quantize(black, *(op.constant(np.float32(n)) for n in (0, 1, 0, 1)), 256)
    answers = [
        op.add(op.constant(output), op.convert(black, ov.Type(output.dtype).get_type_name())) for output in outputs
    ]
    model = ov.Model(answers, [images], "tiny")
    for key, value in (metadata or {}).items():
        model.set_rt_info(str(value), ["framework", key])
    for key, text in {**({} if labels is None else {"labels": labels}), **(info or {})}.items():
        model.set_rt_info(text, ["model_info", key])
    ov.save_model(model, path, compress_to_fp16=False)
    return path


def _zero(dtype: Any) -> Any:
    from streamer.vendors.openvino_quiet import ov

    return ov.opset13.constant(np.zeros((), dtype))


def raw(*shape: int) -> npt.NDArray[np.float32]:
    """An output in which nothing is found."""
    return np.zeros(shape, np.float32)


def chosen(rows: int, *objects: tuple[float, ...]) -> npt.NDArray[np.float32]:
    """The output of an end-to-end head: left, top, right, bottom, confidence and class of each object."""
    answer = np.zeros((1, rows, 6), np.float32)
    answer[0, : len(objects)] = objects
    return answer


def write_any_size(path: Path, metadata: Mapping[str, Any] | None = None) -> Path:
    """A detector of two classes that takes images of any size in multiples of 32; as IR."""
    from streamer.vendors.openvino_quiet import ov

    op = ov.opset13
    images = op.parameter([-1, 3, -1, -1], np.float32, "images")
    levels = [
        op.reshape(
            op.avg_pool(images, [n, n], [0, 0], [0, 0], [n, n], exclude_pad=True, rounding_type="floor"),
            op.constant(np.array([0, 3, -1])),
            special_zero=True,
        )
        for n in (8, 16, 32)
    ]
    cells = op.concat(levels, 2)
    model = ov.Model([op.concat([cells, cells], 1)], [images], "any")
    for key, value in (metadata or {}).items():
        model.set_rt_info(str(value), ["framework", key])
    ov.save_model(model, path, compress_to_fp16=False)
    return path
