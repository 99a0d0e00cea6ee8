"""The packets that RTP reports as lost while packets are read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from streamer.vendors import pyav

_MISSED = re.compile(r"RTP: missed (\d+) packets")
_TOO_LATE = re.compile(r"RTP: dropping old packet received too late")


class Losses:
    """Counts the packets that were missed, and those that came too late.

    FFmpeg reports them only in its log, and does not mark most of the pictures that they damage.
    """

    def __init__(self) -> None:
        self.packets = 0

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Counts the packets that are lost while this block reads, on this thread."""
        heard: list[str] = []
        try:
            with pyav.warnings_heard(heard):
                yield
        finally:
            for message in heard:
                missed = _MISSED.match(message)
                self.packets += int(missed[1]) if missed else _TOO_LATE.match(message) is not None

    def doubts(self, shown: str) -> list[str]:
        """A sentence with the number of lost packets of the address ``shown``, if there are any."""
        if not self.packets:
            return []
        packets = "1 packet" if self.packets == 1 else f"{self.packets:,} packets"
        return [
            f"{shown} lost {packets} over UDP: pictures are damaged, and most of them are not marked; "
            "--rtsp-transport tcp loses none"
        ]
