"""Writes ONNX files with weights in a file beside them, or with certain operators, without the package onnx."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.conformance.onnx_file import field
from streamer.models.protobuf import fields

_NODE, _OPERATOR = 1, 4
_GRAPH, _INITIALIZER, _RAW_DATA, _EXTERNAL_DATA, _DATA_LOCATION = 7, 5, 9, 13, 14


def take_out_weights(source: Path, path: Path, *, location: str = "weights.bin", least: int = 64) -> Path:
    """Writes the ONNX file ``source`` to ``path``, and its tensors of ``least`` bytes or more to ``location``.

    Returns the file with the weights.
    """
    weights = bytearray()

    def without(message: memoryview, kind: str) -> bytes:
        out = bytearray()
        for number, value in fields(message):
            if kind == "model" and number == _GRAPH and isinstance(value, memoryview):
                out += field(number, without(value, "graph"))
            elif kind == "graph" and number == _INITIALIZER and isinstance(value, memoryview):
                out += field(number, without(value, "tensor"))
            elif kind == "tensor" and number == _RAW_DATA and isinstance(value, memoryview) and len(value) >= least:
                about = {"location": location, "offset": str(len(weights)), "length": str(len(value))}
                for key, text in about.items():
                    out += field(_EXTERNAL_DATA, field(1, key.encode()) + field(2, text.encode()))
                out += field(_DATA_LOCATION, 1)
                weights.extend(value)
            else:
                out += field(number, value if isinstance(value, int) else bytes(value))
        return bytes(out)

    path.write_bytes(without(memoryview(source.read_bytes()), "model"))
    beside = path.parent / location
    beside.parent.mkdir(parents=True, exist_ok=True)
    beside.write_bytes(weights)
    return beside


def named(location: str) -> bytes:
    """The bytes that name one more file with weights, to append to an ONNX file as another part of its graph."""
    about = field(_EXTERNAL_DATA, field(1, b"location") + field(2, location.encode()))
    return field(_GRAPH, field(_INITIALIZER, about + field(_DATA_LOCATION, 1)))


def write_operators(path: Path, *operators: str, weights: int = 0) -> Path:
    """Writes an ONNX file with a node of each operator, and an initializer of ``weights`` bytes."""
    nodes = b"".join(field(_NODE, field(_OPERATOR, operator.encode())) for operator in operators)
    initializer = field(_INITIALIZER, field(_RAW_DATA, bytes(weights)))
    path.write_bytes(field(_GRAPH, initializer + nodes))
    return path


def write_echo(path: Path, shape: Sequence[int], dtype: str, *, metadata: Mapping[str, str] | None = None) -> Path:
    """Writes a model that copies its input ``images`` to its output ``same``; ``metadata`` are its props."""

    def value(name: bytes) -> bytes:
        dimensions = b"".join(field(1, field(1, side)) for side in shape)
        tensor = field(1, _ONNX_TYPES[dtype]) + field(2, dimensions)
        return field(1, name) + field(2, field(1, tensor))

    node = field(1, b"images") + field(2, b"same") + field(_OPERATOR, b"Identity")
    graph = field(_NODE, node) + field(2, b"echo") + field(11, value(b"images")) + field(12, value(b"same"))
    props = b"".join(
        field(14, field(1, key.encode()) + field(2, text.encode())) for key, text in (metadata or {}).items()
    )
    path.write_bytes(field(1, 8) + field(_GRAPH, graph) + field(8, field(2, 13)) + props)
    return path


_ONNX_TYPES = {"float32": 1, "uint8": 2, "float16": 10}
