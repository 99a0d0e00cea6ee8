"""Opening a source, and reading all of its frames."""

from __future__ import annotations

import time
from contextlib import closing

from streamer.frame import Frame
from streamer.sources.access import Access
from streamer.sources.base import Source, Unreadable
from streamer.sources.registry import open_source


def now_us() -> int:
    """The monotonic clock, as the pipeline's clock reads it."""
    return time.monotonic_ns() // 1_000


def opened(uri: object, *, loop: bool = False, access: Access | None = None) -> Source:
    """The source, open."""
    return open_source(str(uri), loop=loop, now_us=now_us, access=access)


def read_all(source: Source, most: int = 1_000) -> list[Frame | Unreadable]:
    """All items, up to ``most``; closes the source. Indices count from 0, and times are those of ``Source.pts``."""
    items: list[Frame | Unreadable] = []
    with closing(source):
        while len(items) < most and (item := source.read()) is not None:
            items.append(item)
        assert [item.index for item in items] == list(range(len(items)))
        if not source.info.live:
            assert [item.pts for item in items] == [source.pts(index) for index in range(len(items))]
    return items


def read_on(source: Source, into: list[Frame | Unreadable]) -> None:
    """Reads until the source fails or ends."""
    while (item := source.read()) is not None:
        into.append(item)


def frames(items: list[Frame | Unreadable]) -> list[Frame]:
    """The frames among the items."""
    return [item for item in items if isinstance(item, Frame)]
