"""The bounded policy link before the engine: the queue, whose size is ``--queue``.

It belongs to one event loop and is not thread-safe. What it does at an instant it does without awaiting, so that its
state never depends on the scheduler.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

import anyio

from streamer.pipeline.drop_policy import Policy, dropped_place

T = TypeVar("T")


class LinkClosed(Exception):
    """The link is closed and nothing is left in it."""


class _Taker(Generic[T]):
    """Somebody who waits for an item, and the item once it is there."""

    def __init__(self) -> None:
        self.ready = anyio.Event()
        self.item: T | None = None


class _Giver(Generic[T]):
    """Somebody who waits for room for an item."""

    def __init__(self, item: T) -> None:
        self.item = item
        self.taken = anyio.Event()


class Dispatch(Generic[T]):
    """Gives the items of several links to whoever takes them: of all that are held the one that was due first.

    ``due`` says when an item was. With one link that is the order in which they came.
    """

    def __init__(self, due: Callable[[T], int]) -> None:
        self._due = due
        self._links: list[PolicyLink[T]] = []
        self._takers: list[_Taker[T]] = []

    def link(self, policy: Policy, capacity: int) -> PolicyLink[T]:
        """Another link, which holds ``capacity`` items while nobody takes them."""
        link = PolicyLink(policy, capacity, self)
        self._links.append(link)
        return link

    @property
    def wanted(self) -> bool:
        """Somebody waits for an item."""
        return bool(self._takers)

    @property
    def holds(self) -> bool:
        """An item waits for somebody to take it."""
        return any(link.first is not None for link in self._links)

    def hand(self, item: T) -> bool:
        """Gives the item to somebody who waits for one; False when nobody does, and nothing has happened.

        Whoever began to wait last gets it: of several requests the one that is still warm.
        """
        if not self._takers:
            return False
        taker = self._takers.pop()
        taker.item = item
        taker.ready.set()
        return True

    async def take(self) -> T:
        """The item that was due first, as soon as there is one. Raises LinkClosed when there will be none."""
        holding = [
            (self._due(item), place) for place, link in enumerate(self._links) if (item := link.first) is not None
        ]
        if holding:
            return self._links[min(holding)[1]].pop()
        if self._all_closed:
            raise LinkClosed
        taker: _Taker[T] = _Taker()
        self._takers.append(taker)
        for link in self._links:
            link.announce()
        try:
            await taker.ready.wait()
        finally:
            if not taker.ready.is_set():
                self._takers.remove(taker)
        if taker.item is None:
            raise LinkClosed
        return taker.item

    def closed(self) -> None:
        """A link was closed: once all are, those who wait are told."""
        while self._all_closed and self._takers:
            self._takers.pop().ready.set()

    @property
    def _all_closed(self) -> bool:
        return all(link.closed for link in self._links)


class PolicyLink(Generic[T]):
    """One stream's way to whoever takes its items; holds ``capacity`` of them while nobody does.

    Only the link's own state decides what is dropped, never an announced rate (a rule on the announced rate can
    latch at one frame in many). Made by `Dispatch.link`.
    """

    def __init__(self, policy: Policy, capacity: int, dispatch: Dispatch[T]) -> None:
        self._policy = policy
        self._capacity = capacity
        self._dispatch = dispatch
        self._items: deque[T] = deque()
        self._givers: deque[_Giver[T]] = deque()
        self._changed = anyio.Event()
        self._closed = False

    def __len__(self) -> int:
        """Items held; never more than the capacity."""
        return len(self._items)

    @property
    def closed(self) -> bool:
        """No more items will come."""
        return self._closed

    @property
    def waits(self) -> bool:
        """A full link holds back whoever has an item for it."""
        return self._policy is Policy.WAIT

    @property
    def has_room(self) -> bool:
        """An item offered now would displace none."""
        return self._dispatch.wanted or len(self._items) < self._capacity

    @property
    def first(self) -> T | None:
        """The item that has been there for longest, also with somebody who waits to give it; None without any."""
        if self._items:
            return self._items[0]
        return self._givers[0].item if self._givers else None

    def announce(self) -> None:
        """Something has changed for those who wait for room."""
        self._changed.set()
        self._changed = anyio.Event()

    def hand(self, item: T) -> bool:
        """Gives the item to somebody who waits for one; False when nobody does, and nothing has happened."""
        return self._dispatch.hand(item)

    def offer(self, item: T) -> T | None:
        """Takes the item without waiting; returns the item that had to go for it, if one had to."""
        if self.hand(item):
            return None
        if len(self._items) < self._capacity:
            self._items.append(item)
            return None
        place = dropped_place(self._policy, len(self._items))
        if place is None:
            return item
        gone = self._items[place]
        del self._items[place]
        self._items.append(item)
        return gone

    async def put(self, item: T) -> None:
        """Waits until there is room, and gives the item; who takes it does not wait for the giver to wake up."""
        if self.has_room:
            self.offer(item)
            return
        giver = _Giver(item)
        self._givers.append(giver)
        try:
            await giver.taken.wait()
        finally:
            if not giver.taken.is_set():
                self._givers.remove(giver)

    async def wait_for_room(self) -> None:
        """Returns when an item offered now would displace none."""
        while not self.has_room:
            await self._changed.wait()

    def pop(self) -> T:
        """Gives out its first item, of which there is one."""
        if self._givers:
            giver = self._givers.popleft()
            self._items.append(giver.item)
            giver.taken.set()
        item = self._items.popleft()
        self.announce()
        return item

    def close(self, *, discard: bool = False) -> None:
        """No more items will come; those still held are handed out, or forgotten with ``discard``."""
        self._closed = True
        if discard:
            self._items.clear()
        self._dispatch.closed()
