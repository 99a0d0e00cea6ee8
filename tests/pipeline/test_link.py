"""The policy link and the reorder buffer, on both event loops."""

from __future__ import annotations

import anyio
import pytest

from streamer.pipeline.drop_policy import Policy
from streamer.pipeline.link import Dispatch, LinkClosed, PolicyLink
from streamer.pipeline.reorder import ReorderBuffer

pytestmark = pytest.mark.anyio


def one_link(policy: Policy, capacity: int) -> tuple[Dispatch[int], PolicyLink[int]]:
    """The dispatch and the link of a single stream; an item is the instant at which it was due."""
    dispatch: Dispatch[int] = Dispatch(lambda item: item)
    return dispatch, dispatch.link(policy, capacity)


@pytest.mark.parametrize("policy", Policy)
async def test_an_item_goes_straight_to_a_taker_that_waits(policy: Policy) -> None:
    dispatch, link = one_link(policy, 0)
    received: list[int] = []
    async with anyio.create_task_group() as tasks:

        async def take() -> None:
            received.append(await dispatch.take())

        tasks.start_soon(take)
        await link.wait_for_room()
        assert link.offer(7) is None
    assert received == [7]


@pytest.mark.parametrize("give", ["hand", "offer"])
async def test_the_taker_that_began_to_wait_last_gets_the_item(give: str) -> None:
    dispatch, link = one_link(Policy.DROP_OLDEST, 0)
    received: list[tuple[str, int]] = []
    async with anyio.create_task_group() as tasks:

        async def take(name: str) -> None:
            received.append((name, await dispatch.take()))

        for name in ("first", "second", "third"):
            tasks.start_soon(take, name)
            await anyio.wait_all_tasks_blocked()
        for number in range(3):
            given = getattr(link, give)(number)
            assert given is (True if give == "hand" else None)
            await anyio.wait_all_tasks_blocked()
    assert received == [("third", 0), ("second", 1), ("first", 2)]


async def test_a_taker_that_comes_back_is_served_before_those_that_wait_longer() -> None:
    dispatch, link = one_link(Policy.DROP_OLDEST, 0)
    received: list[tuple[str, int]] = []
    async with anyio.create_task_group() as tasks:

        async def serve(name: str) -> None:
            while True:
                try:
                    received.append((name, await dispatch.take()))
                except LinkClosed:
                    return

        for name in ("cold", "warm"):
            tasks.start_soon(serve, name)
            await anyio.wait_all_tasks_blocked()
        for number in range(5):
            assert link.hand(number)
            await anyio.wait_all_tasks_blocked()
        link.close()
    assert received == [("warm", number) for number in range(5)]


async def test_an_item_that_is_handed_over_while_nobody_waits_is_not_kept_even_if_there_is_room() -> None:
    dispatch, link = one_link(Policy.DROP_OLDEST, 3)
    assert not link.hand(1)
    assert len(link) == 0
    link.offer(2)
    assert not link.hand(3)
    assert await dispatch.take() == 2


async def test_neither_of_two_items_offered_at_once_to_one_taker_is_dropped() -> None:
    dispatch, link = one_link(Policy.DROP_OLDEST, 1)
    received: list[int] = []
    async with anyio.create_task_group() as tasks:

        async def take() -> None:
            received.append(await dispatch.take())

        tasks.start_soon(take)
        await anyio.wait_all_tasks_blocked()
        assert link.offer(1) is None
        assert link.offer(2) is None
    assert received == [1]
    assert len(link) == 1


async def test_drop_oldest_gives_back_the_oldest_and_drop_newest_the_newest() -> None:
    _, oldest = one_link(Policy.DROP_OLDEST, 2)
    _, newest = one_link(Policy.DROP_NEWEST, 2)
    assert [oldest.offer(n) for n in range(4)] == [None, None, 0, 1]
    assert [newest.offer(n) for n in range(4)] == [None, None, 2, 3]


async def test_a_link_without_room_drops_an_item_that_nobody_waits_for() -> None:
    _, link = one_link(Policy.DROP_OLDEST, 0)
    assert link.offer(1) == 1


async def test_closing_lets_takers_finish_what_is_held_and_then_ends_them() -> None:
    dispatch, link = one_link(Policy.WAIT, 2)
    link.offer(1)
    link.close()
    assert await dispatch.take() == 1
    with pytest.raises(LinkClosed):
        await dispatch.take()


async def test_a_taker_that_is_cancelled_takes_nothing_with_it() -> None:
    dispatch, link = one_link(Policy.DROP_NEWEST, 0)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(dispatch.take)
        await link.wait_for_room()
        tasks.cancel_scope.cancel()
    assert not link.has_room
    assert link.offer(1) == 1


async def test_the_buffer_gives_items_out_in_order_and_leaves_out_skipped_ones() -> None:
    buffer: ReorderBuffer[str] = ReorderBuffer(5)
    await buffer.put(2, "c")
    await buffer.put(0, "a")
    buffer.skip(1)
    assert [await buffer.take(), await buffer.take()] == ["a", "c"]
    buffer.close()
    with pytest.raises(LinkClosed):
        await buffer.take()


async def test_a_full_buffer_holds_its_givers_back_except_the_one_that_is_next() -> None:
    buffer: ReorderBuffer[int] = ReorderBuffer(1)
    await buffer.put(1, 1)
    with anyio.move_on_after(0) as scope:
        await buffer.put(2, 2)
    assert scope.cancelled_caught
    await buffer.put(0, 0)
    assert [await buffer.take(), await buffer.take()] == [0, 1]


async def test_when_nothing_more_comes_held_items_are_given_out_across_missing_numbers() -> None:
    buffer: ReorderBuffer[str] = ReorderBuffer(5)
    await buffer.put(1, "b")
    await buffer.put(4, "e")
    buffer.skip(6)
    buffer.close()
    assert [await buffer.take(), await buffer.take()] == ["b", "e"]
    with pytest.raises(LinkClosed):
        await buffer.take()


@pytest.mark.parametrize("capacity", [0, 2])
async def test_a_taker_gets_the_items_of_waiting_givers_at_once_and_in_order(capacity: int) -> None:
    dispatch, link = one_link(Policy.WAIT, capacity)
    async with anyio.create_task_group() as tasks:

        async def give() -> None:
            for number in range(6):
                await link.put(number)
                assert len(link) <= capacity

        tasks.start_soon(give)
        assert [await dispatch.take() for _ in range(6)] == list(range(6))
    assert len(link) == 0


async def test_a_giver_that_is_cancelled_leaves_nothing() -> None:
    dispatch, link = one_link(Policy.WAIT, 1)
    await link.put(1)
    with anyio.move_on_after(0) as scope:
        await link.put(2)
    assert scope.cancelled_caught
    assert await dispatch.take() == 1
    assert len(link) == 0
