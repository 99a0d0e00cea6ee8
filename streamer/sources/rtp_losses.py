"""What RTP reports as lost, while packets are read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from streamer.vendors import pyav

_MISSED = re.compile(r"RTP: missed (\d+) packets")
_TOO_LATE = re.compile(r"RTP: dropping old packet received too late")


class Losses:
    """Counts the packets that were missed, and those that came when they were no longer waited for.

    FFmpeg tells them in its log alone: most pictures that they damage it does not mark.
    """

    def __init__(self) -> None:
        self.packets = 0

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Counts what is lost while packets are read in this block, on this thread."""
        heard: list[str] = []
        try:
            with pyav.warnings_heard(heard):
                yield
        finally:
            for message in heard:
                missed = _MISSED.match(message)
                self.packets += int(missed[1]) if missed else _TOO_LATE.match(message) is not None

    def doubts(self, shown: str) -> list[str]:
        """That there were any at the address ``shown``."""
        if not self.packets:
            return []
        packets = "1 packet" if self.packets == 1 else f"{self.packets:,} packets"
        return [
            f"{shown} lost {packets} over UDP: pictures are damaged, and most of them are not marked; "
            "--rtsp-transport tcp loses none"
        ]
