"""Finds out whether an ONNX file is quantized, by its operators, without running it."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path

from streamer.models.protobuf import fields

OPERATORS = frozenset(
    {
        *("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear"),
        *("ConvInteger", "MatMulInteger", "QLinearConv", "QLinearMatMul"),
    }
)
"""The operators of quantized models; any one of them makes a model quantized."""
EXACT_IR = "ir-exact"
"""The kind of an IR that keeps the numbers of its ONNX file; others have weights in FP16."""
_NODES_OF = {7: 1, 25: 7}
"""The numbers of a model's graph and functions in onnx.proto, each with the number of a node in it."""
_OPERATOR = 4


MEND = (
    "; it is quantized, and not in a way that this OpenVINO can run: quantize the original with streamer models "
    "quantize, or with ONNX Runtime its convolutions alone, in the QDQ format and with symmetric activations "
    "(quant_format=QuantFormat.QDQ, op_types_to_quantize=['Conv'], extra_options={'ActivationSymmetric': True})"
)


def mend_of_quantized(path: Path) -> str:
    """The mend for a file that OpenVINO cannot read or compile, if it is quantized; empty if it is not."""
    return MEND if path.suffix.lower() == ".onnx" and is_quantized(path) else ""


def is_quantized(path: Path) -> bool:
    """The ONNX file at ``path`` has one of `OPERATORS`; a file that is no ONNX has none."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
            with memoryview(whole) as data:
                return any(operator in OPERATORS for operator in _operators(data))
    except (OSError, ValueError, IndexError, BufferError):
        return False


def ir_kind(onnx: Path) -> str:
    """The kind of IR that is made from an ONNX file.

    The IR of a quantized file keeps its numbers: its weights have 8 bits already, and scales in FP16 would change
    its detections.
    """
    return EXACT_IR if is_quantized(onnx) else "ir"


def _operators(model: memoryview) -> Iterator[str]:
    for number, part in fields(model):
        if number not in _NODES_OF or not isinstance(part, memoryview):
            continue
        for field, node in fields(part):
            if field == _NODES_OF[number] and isinstance(node, memoryview):
                yield from (
                    bytes(name).decode()
                    for of_node, name in fields(node)
                    if of_node == _OPERATOR and isinstance(name, memoryview)
                )
