"""The files beside an ONNX file that hold its weights, as its tensors name them.

The tensors are read from the file's own encoding, Protocol Buffers with the field numbers of onnx.proto. A base
installation lacks the package onnx, which would also load the whole model.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from streamer.errors import ModelError
from streamer.models.protobuf import fields

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
"""The fields that lead to tensors, in each kind of message: their numbers, and the kind of message in them."""
_EXTERNAL_DATA, _DATA_LOCATION, _EXTERNAL = 13, 14, 1
"""Fields of a tensor: `external_data` (keys and values) and `data_location`; and the latter's value EXTERNAL."""
_KEY, _VALUE, _WHERE = 1, 2, "location"
_SMALL = 1 << 16
"""A message of fewer bytes is searched for `_WHERE` first, which is faster than parsing it.

A larger one is parsed at once. Its weights are then never read, so that the time does not grow with their size.
"""


def external_data(path: Path) -> tuple[Path, ...]:
    """The files with weights that the ONNX file at ``path`` names, each once, whether they are there or not.

    A file that is no ONNX names none. Raises ModelError for one that names a place outside its own folder.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
            with memoryview(whole) as data:
                named = dict.fromkeys(_locations(data, "model"))
    except (OSError, ValueError, IndexError, RecursionError, BufferError):
        return ()  # reading it as a model reports why it is none
    for location in named:
        place = PurePosixPath(location)
        if place.is_absolute() or ".." in place.parts:
            raise ModelError(f"{path.name} has weights outside its folder, in {location}: save it again beside them")
    return tuple(path.parent / location for location in named)


def _locations(message: memoryview, kind: str) -> Iterator[str]:
    if len(message) < _SMALL and _WHERE.encode() not in bytes(message):
        return
    if kind == "tensor":
        yield from _location(message)
        return
    within = _WITHIN[kind]
    for number, value in fields(message):
        if number in within and isinstance(value, memoryview):
            yield from _locations(value, within[number])


def _location(tensor: memoryview) -> Iterator[str]:
    external, pairs = False, {}
    for number, value in fields(tensor):
        if number == _DATA_LOCATION:
            external = value == _EXTERNAL
        elif number == _EXTERNAL_DATA and isinstance(value, memoryview):
            pair = {n: bytes(text).decode() for n, text in fields(value) if isinstance(text, memoryview)}
            pairs[pair.get(_KEY)] = pair.get(_VALUE, "")
    if external and pairs.get(_WHERE):
        yield pairs[_WHERE]
