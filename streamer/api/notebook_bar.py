"""A bar in a notebook, where a call without an observer shows how far it is."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from streamer.api.progress import Observer, Progress
from streamer.charts.shown import as_html


@contextmanager
def observing(observer: Observer | None) -> Iterator[Observer | None]:
    """The observer of a call: the caller's or, in a notebook without one, a bar that goes when the call has ended."""
    if observer is not None or not _in_notebook():
        yield observer
        return
    bar = _Bar()
    try:
        yield bar.show
    finally:
        bar.end()


def _in_notebook() -> bool:
    """Whether this runs in an IPython kernel; a terminal has none. Who has not loaded IPython is in no notebook."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and getattr(ipython.get_ipython(), "kernel", None) is not None


class _Bar:
    """A display of the cell that runs. It is made in the caller's thread, and told the progress in the call's."""

    def __init__(self) -> None:
        from IPython.display import display

        self._ended = False
        self._telling = Lock()
        self._display = display(_shown("", ""), raw=True, display_id=True)

    def show(self, progress: Progress) -> None:
        line = sentence(progress)
        total = "" if progress.total is None else f' max="{progress.total}" value="{progress.done}"'
        self._update(f"<div><progress{total}></progress> {as_html(line)}</div>", line)

    def end(self) -> None:
        """Nothing is left, and nothing comes up again: a second Ctrl-C ends the wait for a call that goes on."""
        self._update("", "")
        self._ended = True

    def _update(self, html: str, text: str) -> None:
        with self._telling:
            if not self._ended:
                self._display.update(_shown(html, text), raw=True)


def _shown(html: str, text: str) -> dict[str, str]:
    return {"text/html": html, "text/plain": text}


def sentence(progress: Progress) -> str:
    """How far a call is, in a line."""
    total = "" if progress.total is None else f" of {progress.total:,}"
    latency = "".join(
        f", {name} {ms:.1f} ms" for name, ms in (("p50", progress.p50_ms), ("p95", progress.p95_ms)) if ms is not None
    )
    dropped = f", {progress.dropped:,} dropped" if progress.dropped else ""
    return f"{progress.doing}: {progress.done:,}{total} {progress.unit}{latency}{dropped}"
