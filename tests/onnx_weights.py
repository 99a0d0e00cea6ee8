"""ONNX files whose weights are in a file beside them, and such of certain operators, written without package onnx."""

from __future__ import annotations

from pathlib import Path

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
                out += _field(number, without(value, "graph"))
            elif kind == "graph" and number == _INITIALIZER and isinstance(value, memoryview):
                out += _field(number, without(value, "tensor"))
            elif kind == "tensor" and number == _RAW_DATA and isinstance(value, memoryview) and len(value) >= least:
                about = {"location": location, "offset": str(len(weights)), "length": str(len(value))}
                for key, text in about.items():
                    out += _field(_EXTERNAL_DATA, _field(1, key.encode()) + _field(2, text.encode()))
                out += _field(_DATA_LOCATION, 1)
                weights.extend(value)
            else:
                out += _field(number, value if isinstance(value, int) else bytes(value))
        return bytes(out)

    path.write_bytes(without(memoryview(source.read_bytes()), "model"))
    beside = path.parent / location
    beside.parent.mkdir(parents=True, exist_ok=True)
    beside.write_bytes(weights)
    return beside


def named(location: str) -> bytes:
    """What names one more file with weights, at the end of an ONNX file: a graph's parts may come in several."""
    about = _field(_EXTERNAL_DATA, _field(1, b"location") + _field(2, location.encode()))
    return _field(_GRAPH, _field(_INITIALIZER, about + _field(_DATA_LOCATION, 1)))


def write_operators(path: Path, *operators: str, weights: int = 0) -> Path:
    """A file with a node of each operator, as ONNX files are encoded, and an initializer of so many bytes."""
    nodes = b"".join(_field(_NODE, _field(_OPERATOR, operator.encode())) for operator in operators)
    initializer = _field(_INITIALIZER, _field(_RAW_DATA, bytes(weights)))
    path.write_bytes(_field(_GRAPH, initializer + nodes))
    return path


def _field(number: int, value: int | bytes) -> bytes:
    """A field as it is encoded; of the fixed sizes there is none where this is used."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
