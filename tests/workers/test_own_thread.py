"""A call on a thread of its own, interrupted where nobody knows whether it has begun."""

from __future__ import annotations

import threading
from collections.abc import Callable
from threading import Event, Thread

import pytest

from streamer.api.calling import called
from streamer.workers.own_thread import OwnThread
from streamer.workers.stopping import Interrupted, Stop


def ctrl_c_in(start: Callable[[Thread], None], *, before: bool) -> Callable[[Thread], None]:
    """`Thread.start` with Ctrl-C in the middle of it, the first time."""
    pressed = Event()

    def started(thread: Thread) -> None:
        if thread.name != "streamer" or pressed.is_set():
            return start(thread)
        pressed.set()
        if not before:
            start(thread)
        raise KeyboardInterrupt

    return started


@pytest.mark.parametrize("before", [True, False], ids=["before the thread", "after the thread"])
def test_ctrl_c_while_it_begins_ends_it_in_good_order_once(monkeypatch: pytest.MonkeyPatch, before: bool) -> None:
    monkeypatch.setattr(threading.Thread, "start", ctrl_c_in(Thread.start, before=before))
    worked: list[str | None] = []

    def work(stop: Stop, observer: object) -> str:
        heard = Event()
        stop.calls(lambda reason: heard.set())
        heard.wait()
        worked.append(stop.reason)
        return "what was done so far"

    assert called(work) == "what was done so far"
    assert worked == ["SIGINT"]


@pytest.mark.parametrize("before", [True, False], ids=["before the thread", "after the thread"])
def test_ctrl_c_while_it_begins_without_a_result_is_raised_when_it_has_ended(
    monkeypatch: pytest.MonkeyPatch, before: bool
) -> None:
    monkeypatch.setattr(threading.Thread, "start", ctrl_c_in(Thread.start, before=before))
    ended: list[str] = []

    def work(stop: Stop, observer: object) -> None:
        heard = Event()
        stop.calls(lambda reason: heard.set())
        heard.wait()
        ended.append("undone")
        raise Interrupted("SIGINT")

    with pytest.raises(KeyboardInterrupt):
        called(work)
    assert ended == ["undone"]


def test_who_waits_for_a_while_only_is_not_kept() -> None:
    go_on = Event()
    call = OwnThread(go_on.wait, Stop())
    call.start()
    call.wait(0)
    go_on.set()
    call.wait()
    call.wait()  # once more: it has ended
    assert call.outcome() is True
