"""Reads the encoding of Protocol Buffers without their package: the fields of a message, one level at a time."""

from __future__ import annotations

from collections.abc import Iterator


def fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """The number and value of each field: an integer, or the bytes of any other type.

    Raises ValueError and IndexError for bytes that are no message. Source: "Encoding" in protobuf.dev's guides.
    """
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, wire = tag >> 3, tag & 7
        if number == 0:
            raise ValueError("there is no field 0")
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
    """An integer of seven bits a byte, the lowest first, and the place after it."""
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
