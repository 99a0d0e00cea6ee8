"""The bounded policy link before the engine: the queue, whose size is ``--queue``.

It belongs to one event loop and is not thread-safe. It does what belongs to one instant without awaiting, so that its
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
    """A worker that waits for an item, and the item once it is there."""

    def __init__(self) -> None:
        self.ready = anyio.Event()
        self.item: T | None = None


class _Giver(Generic[T]):
    """A feed that waits for room for its item."""

    def __init__(self, item: T) -> None:
        self.item = item
        self.accepted = anyio.Event()


class Dispatch(Generic[T]):
    """Gives the items of several links to the workers: of all that are held, the one that was due first.

    ``due`` returns when an item was due. With one link that is the order in which they came.
    """

    def __init__(self, due: Callable[[T], int]) -> None:
        self._due = due
        self._links: list[PolicyLink[T]] = []
        self._takers: list[_Taker[T]] = []

    def link(self, policy: Policy, capacity: int) -> PolicyLink[T]:
        """Adds a link, which holds ``capacity`` items while no worker waits."""
        link = PolicyLink(policy, capacity, self)
        self._links.append(link)
        return link

    @property
    def wanted(self) -> bool:
        """Whether a worker waits for an item."""
        return bool(self._takers)

    @property
    def holds(self) -> bool:
        """Whether an item waits for a worker."""
        return any(link.first is not None for link in self._links)

    def hand(self, item: T) -> bool:
        """Gives the item to a worker that waits; False, and nothing done, when none does.

        The worker that began to wait last gets it: its request is still warm.
        """
        if not self._takers:
            return False
        taker = self._takers.pop()
        taker.item = item
        taker.ready.set()
        return True

    async def take(self) -> T:
        """Waits for the item that was due first. Raises LinkClosed when there will be none."""
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
        """Wakes the workers that wait, once all links are closed."""
        while self._all_closed and self._takers:
            self._takers.pop().ready.set()

    @property
    def _all_closed(self) -> bool:
        return all(link.closed for link in self._links)


class PolicyLink(Generic[T]):
    """One stream's link to the workers; holds ``capacity`` items while no worker waits. Made by `Dispatch.link`.

    Only the link's own state decides what is dropped, never an announced rate: a rule on that rate can latch at one
    frame in many.
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
        """The number of items held; never more than the capacity."""
        return len(self._items)

    @property
    def closed(self) -> bool:
        """Whether no more items will come."""
        return self._closed

    @property
    def waits(self) -> bool:
        """Whether a full link holds its feed back."""
        return self._policy is Policy.WAIT

    @property
    def has_room(self) -> bool:
        """Whether an item offered now would be accepted without dropping one."""
        return self._dispatch.wanted or len(self._items) < self._capacity

    @property
    def first(self) -> T | None:
        """The oldest item, held or still with a feed that waits for room; None without any."""
        if self._items:
            return self._items[0]
        return self._givers[0].item if self._givers else None

    def announce(self) -> None:
        """Wakes those that wait for room."""
        self._changed.set()
        self._changed = anyio.Event()

    def hand(self, item: T) -> bool:
        """Gives the item to a worker that waits; False, and nothing done, when none does."""
        return self._dispatch.hand(item)

    def offer(self, item: T) -> T | None:
        """Accepts the item without waiting; returns the item that is dropped for it, which may be itself, or None."""
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
        """Waits for room and gives the item. A worker gets it without waiting for this feed to wake up."""
        if self.has_room:
            self.offer(item)
            return
        giver = _Giver(item)
        self._givers.append(giver)
        try:
            await giver.accepted.wait()
        finally:
            if not giver.accepted.is_set():
                self._givers.remove(giver)

    async def wait_for_room(self) -> None:
        """Returns when an item offered now would be accepted without dropping one."""
        while not self.has_room:
            await self._changed.wait()

    def pop(self) -> T:
        """Removes and returns the first item, of which there must be one."""
        if self._givers:
            giver = self._givers.popleft()
            self._items.append(giver.item)
            giver.accepted.set()
        item = self._items.popleft()
        self.announce()
        return item

    def close(self, *, discard: bool = False) -> None:
        """Ends the link: no more items will come. Those still held are handed out, or forgotten with ``discard``."""
        self._closed = True
        if discard:
            self._items.clear()
        self._dispatch.closed()
