"""The files beside an ONNX file that hold its weights, as its tensors name them.

They are read from the file's own encoding, which is Protocol Buffers with the field numbers of onnx.proto: an
installation without extras has no package onnx, and that one would load the whole model.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from streamer.errors import ModelError

_WITHIN = {
    "model": {7: "graph", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse tensor"},
    "function": {7: "node"},
    "node": {5: "attribute"},
    "attribute": {
        **{5: "tensor", 6: "graph", 10: "tensor", 11: "graph"},
        **{22: "sparse tensor", 23: "sparse tensor"},
    },
    "sparse tensor": {1: "tensor", 2: "tensor"},
}
"""The messages in which tensors are, by the message that they are fields of, and their numbers there."""
_EXTERNAL_DATA, _DATA_LOCATION, _EXTERNAL = 13, 14, 1
"""Fields of a tensor: where its values are, as keys and values, and that they are not in it."""
_KEY, _VALUE, _WHERE = 1, 2, "location"


def external_data(path: Path) -> tuple[Path, ...]:
    """The files with weights that the ONNX file at ``path`` names, each once, whether they are there or not.

    A file that is no ONNX names none. Raises ModelError for one that names a place outside its own folder.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
            if whole.find(_WHERE.encode()) < 0:
                return ()  # without going through it, which takes ten times as long
            with memoryview(whole) as data:
                named = dict.fromkeys(_locations(data, "model"))
    except (OSError, ValueError, IndexError, RecursionError, BufferError):
        return ()  # whoever reads it as a model says why it is none
    for location in named:
        place = PurePosixPath(location)
        if place.is_absolute() or ".." in place.parts:
            raise ModelError(f"{path.name} has weights outside its folder, in {location}: save it again beside them")
    return tuple(path.parent / location for location in named)


def _locations(message: memoryview, kind: str) -> Iterator[str]:
    if kind == "tensor":
        yield from _location(message)
        return
    within = _WITHIN[kind]
    for number, value in _fields(message):
        if number in within and isinstance(value, memoryview):
            yield from _locations(value, within[number])


def _location(tensor: memoryview) -> Iterator[str]:
    external, pairs = False, {}
    for number, value in _fields(tensor):
        if number == _DATA_LOCATION:
            external = value == _EXTERNAL
        elif number == _EXTERNAL_DATA and isinstance(value, memoryview):
            pair = {n: bytes(text).decode() for n, text in _fields(value) if isinstance(text, memoryview)}
            pairs[pair.get(_KEY)] = pair.get(_VALUE, "")
    if external and pairs.get(_WHERE):
        yield pairs[_WHERE]


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Number and value of each field: a number, or the bytes of what else it is. Raises ValueError, IndexError."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = _varint(message, at)
            yield number, value
            continue
        if wire == 2:
            length, at = _varint(message, at)
        elif wire in (1, 5):
            length = 8 if wire == 1 else 4
        else:
            raise ValueError(f"there is no wire type {wire}")
        if at + length > len(message):
            raise ValueError("it ends in the middle of a field")
        yield number, message[at : at + length]
        at += length


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, the lowest first, and where it ends."""
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("a number has more than 64 bits")
