"""The progress bar in a notebook, for a call without an observer."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any
from uuid import uuid4

from streamer.api.progress import Observer, Progress
from streamer.charts.shown import as_html


@contextmanager
def observing(observer: Observer | None) -> Iterator[Observer | None]:
    """The observer of a call: the caller's or, in a notebook, a bar that is removed when the call has ended."""
    publisher = _publisher() if observer is None else None
    if publisher is None:
        yield observer
        return
    bar = _Bar(publisher)
    try:
        yield bar.show
    finally:
        bar.end()


def _publisher() -> Any:
    """The publisher that sends displays to the front end of this IPython kernel; None elsewhere, as in a terminal.

    None too where a cell captures its output. A program that has not loaded IPython is in no notebook.
    """
    ipython = sys.modules.get("IPython")
    publisher = getattr(ipython and ipython.get_ipython(), "display_pub", None)
    return publisher if getattr(publisher, "pub_socket", None) is not None else None


class _Bar:
    """A display of the cell that runs. It is made in the caller's thread, and updated in the call's."""

    def __init__(self, publisher: Any) -> None:
        self._publisher = publisher
        self._cell = publisher.parent_header
        self._own: dict[str, str] = {"display_id": f"streamer-{uuid4().hex}"}
        self._ended = False
        self._telling = Lock()
        publisher.publish(_shown("", ""), transient=self._own)

    def show(self, progress: Progress) -> None:
        line = sentence(progress)
        total = "" if progress.total is None else f' max="{progress.total}" value="{progress.done}"'
        self._update(f"<div><progress{total}></progress> {as_html(line)}</div>", line)

    def end(self) -> None:
        """Removes the bar for good: after a second Ctrl-C the call may go on and report more."""
        self._update("", "")
        self._ended = True

    def _update(self, html: str, text: str) -> None:
        content = {"data": _shown(html, text), "metadata": {}, "transient": self._own}
        with self._telling:
            if not self._ended:
                # publish() also waits until all printed text has been sent: milliseconds, within what is measured.
                self._publisher.session.send(
                    self._publisher.pub_socket,
                    "update_display_data",
                    content,
                    parent=self._cell,
                    ident=self._publisher.topic,
                )


def _shown(html: str, text: str) -> dict[str, str]:
    return {"text/html": html, "text/plain": text}


def sentence(progress: Progress) -> str:
    """The progress of a call as a line."""
    total = "" if progress.total is None else f" of {progress.total:,}"
    latency = "".join(
        f", {name} {ms:.1f} ms" for name, ms in (("p50", progress.p50_ms), ("p95", progress.p95_ms)) if ms is not None
    )
    dropped = f", {progress.dropped:,} dropped" if progress.dropped else ""
    return f"{progress.doing}: {progress.done:,}{total} {progress.unit}{latency}{dropped}"
