"""The original of a quantized model, found beside it by its name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from streamer.models.files import KINDS, parts
from streamer.models.model import Model
from streamer.models.quantized_onnx import is_quantized

QUANTIZED = re.compile(r"[-_. ]?(?:u?int8|i8|quantized|quant|quantised|qdq|ptq)(?![a-z0-9])", re.IGNORECASE)
"""The part of a quantized model's name that its original's name lacks."""
FLOAT_FOLDERS = ("FP32", "FP16", "fp32", "fp16")
"""The Open Model Zoo's folders beside FP16-INT8 and the like."""
FLOAT_ENDINGS = ("", "_fp32", "_fp16", "-fp32", "-fp16")


def unquantized(model: Model) -> Path | None:
    """The path of a quantized model's original. None where none is found, and for a model that is not quantized.

    Both lie in one folder, as model_int8.onnx and model.onnx, or in two, as FP16-INT8/model.xml and FP16/model.xml.
    """
    path = model.path
    if model.files.get("int8") != path and not (model.kind == "onnx" and is_quantized(path)):
        return None
    return next(
        (one for one in _candidates(path) if one != path and all(part.is_file() for part in parts(one))), None
    )


def _candidates(path: Path) -> Iterator[Path]:
    """The paths where the original may be, the likeliest first."""
    kinds = (path.suffix, *(suffix for suffix in KINDS if suffix not in (path.suffix, ".pt")))
    stem = QUANTIZED.sub("", path.stem)
    if stem != path.stem:
        yield from (path.with_name(f"{stem}{ending}{kind}") for kind in kinds for ending in FLOAT_ENDINGS)
    folder = path.parent
    plain = QUANTIZED.sub("", folder.name)
    if plain != folder.name:
        folders = [folder.with_name(name) for name in dict.fromkeys((plain or ".", *FLOAT_FOLDERS)) if name != "."]
        yield from (place / f"{name}{kind}" for place in folders for kind in kinds for name in (path.stem, stem))
        # As Ultralytics names them: best_int8_openvino_model/best.xml beside best.onnx.
        yield from (folder.parent / f"{stem}{kind}" for kind in kinds)
