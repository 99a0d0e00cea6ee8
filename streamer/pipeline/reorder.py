"""The reorder buffer before the sink: items in the order of their numbers.

It belongs to one event loop and is not thread-safe, like the link before the engine.
"""

from __future__ import annotations

from typing import Generic

import anyio

from streamer.pipeline.link import LinkClosed, T


class ReorderBuffer(Generic[T]):
    """Takes items by frame number in any order and gives them out in the order of their numbers.

    Every number must be either put or skipped. ``put`` waits while ``capacity`` items are held, unless its item is
    the one that is next. ``most`` is the largest number of items ever held.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._held: dict[int, T | None] = {}
        self._items = 0
        self.most = 0
        self._next = 0
        self._changed = anyio.Event()
        self._closed = False

    def __len__(self) -> int:
        """The number of items held; skipped numbers do not count."""
        return self._items

    def _announce(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()

    def skip(self, number: int) -> None:
        """Notes that no item will come for this number."""
        self._held[number] = None
        self._announce()

    def put_now(self, number: int, item: T) -> None:
        """Holds an item without waiting, beyond the capacity if need be."""
        self._held[number] = item
        self._items += 1
        self.most = max(self.most, self._items)
        self._announce()

    async def put(self, number: int, item: T) -> None:
        """Holds an item as soon as there is room for it."""
        while self._items >= self._capacity and number != self._next:
            await self._changed.wait()
        self.put_now(number, item)

    async def take(self) -> T:
        """Waits for the item with the next number. Raises LinkClosed when there will be none."""
        while True:
            while self._next in self._held:
                item = self._held.pop(self._next)
                self._next += 1
                self._announce()
                if item is not None:
                    self._items -= 1
                    return item
            if not self._closed:
                await self._changed.wait()
            elif self._held:
                self._next = min(self._held)  # the numbers before it will never come
            else:
                raise LinkClosed

    def close(self) -> None:
        """Ends the buffer: no more items will come. Those still held are given out, whatever is missing between."""
        self._closed = True
        self._announce()
