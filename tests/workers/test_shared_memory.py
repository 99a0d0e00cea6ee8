"""Memory that a child shares: both see the same bytes, and nothing is left of it."""

from __future__ import annotations

import os
from mmap import mmap
from multiprocessing.connection import Connection

import numpy as np
import pytest

from streamer.workers.processes import Child
from streamer.workers.shared_memory import SharedMemory

SIZE = 10_000


def add_one(link: Connection, shared: mmap, other: mmap) -> None:
    while True:
        at = link.recv()
        other[at] = shared[at] + 1
        link.send((len(shared), len(other)))


def numbers() -> list[str]:
    """The file numbers that are open in this process."""
    return sorted(os.listdir("/dev/fd"))


def test_both_sides_see_the_same_bytes() -> None:
    shared, other = SharedMemory(SIZE), SharedMemory(5)
    assert bytes(shared.bytes) == bytes(SIZE)
    shared.bytes[4] = 41
    for _ in range(2):  # a second child, when the first has gone, sees what that one has written
        child = Child(add_one, shared, other)
        child.tell(4)
        assert child.hear() == (SIZE, 5)
        child.end()
        assert other.bytes[4] == 42


def test_no_file_number_is_left_of_it() -> None:
    before = numbers()
    memory = SharedMemory(SIZE)
    assert len(numbers()) > len(before)
    del memory
    assert numbers() == before


def test_an_array_in_it_outlives_it() -> None:
    before = numbers()
    memory = SharedMemory(SIZE)
    array = np.ndarray((SIZE,), np.uint8, memory.bytes)
    array[:] = 7
    del memory
    assert array.sum() == 7 * SIZE
    del array
    assert numbers() == before


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="this system has no memfd_create")
def test_where_the_system_refuses_a_file_in_memory_another_one_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> int:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "memfd_create", refuse)
    test_both_sides_see_the_same_bytes()
    test_no_file_number_is_left_of_it()
