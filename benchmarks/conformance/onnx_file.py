"""The kit's models as ONNX, written without package onnx: the few fields of its protobuf that they need."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.conformance.recipe import Recipe, write
from streamer.detection.head import Array
from streamer.detection.ports import Port

IR_VERSION, OPSET = 8, 13
TYPES = {"float32": 1, "uint8": 2, "int32": 6, "int64": 7, "bool": 9, "float16": 10}
"""TensorProto.DataType, by NumPy's names."""
INTS = 7
"""AttributeProto.AttributeType of a list of whole numbers; a single one is INT."""
INT = 2

Name = str


class OnnxGraph:
    """Writes a graph of ONNX' operations; a value is its name."""

    def __init__(self) -> None:
        self._nodes = bytearray()
        self._constants = bytearray()
        self._inputs = bytearray()
        self._outputs = bytearray()
        self._many = 0

    def _new(self) -> Name:
        self._many += 1
        return f"value_{self._many}"

    def _node(self, operation: str, inputs: Sequence[Name], attributes: bytes = b"", name: Name = "") -> Name:
        name = name or self._new()
        node = b"".join(field(1, one.encode()) for one in inputs)
        node += field(2, name.encode()) + field(3, f"node_{name}".encode()) + field(4, operation.encode())
        self._nodes += field(1, node + attributes)
        return name

    def input(self, port: Port) -> Name:
        self._inputs += field(11, value_info(port))
        return port.name

    def constant(self, array: Array) -> Name:
        name, array = self._new(), np.asarray(array)
        dims = b"".join(field(1, side) for side in array.shape)
        kind = field(2, TYPES[array.dtype.name])
        self._constants += field(5, dims + kind + field(8, name.encode()) + field(9, array.tobytes()))
        return name

    def cast(self, value: Name, dtype: str) -> Name:
        return self._node("Cast", [value], number("to", TYPES[dtype]))

    def slice(self, value: Name, starts: Sequence[int], ends: Sequence[int], axes: Sequence[int]) -> Name:
        return self._node(
            "Slice", [value, *(self.constant(np.array(part, np.int64)) for part in (starts, ends, axes))]
        )

    def binary(self, operation: str, one: Name, other: Name) -> Name:
        return self._node(operation, [one, other])

    def absolute(self, value: Name) -> Name:
        return self._node("Abs", [value])

    def reduce(self, operation: str, value: Name, axes: Sequence[int]) -> Name:
        return self._node(operation, [value], numbers("axes", axes) + number("keepdims", 0))

    def first_rows(self, value: Name, count: Name, axis: int) -> Name:
        one, zero = (self.constant(np.array(number, np.int64)) for number in (1, 0))
        rows = self._node("Range", [zero, count, one])
        return self._node("Gather", [value, rows], number("axis", axis))

    def output(self, value: Name, port: Port) -> None:
        self._node("Identity", [value], name=port.name)
        self._outputs += field(12, value_info(port))

    def encoded(self) -> bytes:
        """The graph as a GraphProto."""
        return bytes(self._nodes) + field(2, b"conformance") + bytes(self._constants + self._inputs + self._outputs)


def write_onnx(made: Recipe, path: Path) -> Path:
    """Writes the model to ``path``."""
    graph = OnnxGraph()
    write(graph, made)
    metadata = {key: str(value) for key, value in made.form.metadata.items()}
    metadata |= {f"model_info {key}": value for key, value in made.form.model_info.items()}
    pairs = b"".join(field(14, field(1, key.encode()) + field(2, value.encode())) for key, value in metadata.items())
    path.write_bytes(field(1, IR_VERSION) + field(7, graph.encoded()) + field(8, field(2, OPSET)) + pairs)
    return path


def value_info(port: Port) -> bytes:
    """A port as a ValueInfoProto; what may be any number is named."""
    dims = b"".join(field(1, field(2, b"any") if side is None else field(1, side)) for side in port.shape)
    tensor = field(1, TYPES[port.dtype]) + field(2, dims)
    return field(1, port.name.encode()) + field(2, field(1, tensor))


def number(name: str, value: int) -> bytes:
    """An attribute of a node: a whole number."""
    return field(5, field(1, name.encode()) + field(3, value) + field(20, INT))


def numbers(name: str, values: Sequence[int]) -> bytes:
    """An attribute of a node: a list of whole numbers."""
    return field(5, field(1, name.encode()) + b"".join(field(8, value) for value in values) + field(20, INTS))


def field(at: int, value: int | bytes) -> bytes:
    """A field of a message, as Protocol Buffers encode it."""
    if isinstance(value, int):
        return varint(at << 3) + varint(value)
    return varint(at << 3 | 2) + varint(len(value)) + value


def varint(value: int) -> bytes:
    """A whole number, 0 or more, in groups of 7 bits."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
