"""Whether a run is in a steady state: its last three windows agree in rate and in latency.

The rule is that of perf_analyzer: a measurement is stable when its last three windows agree within 10 %.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from statistics import median

from streamer.ledger.record import FrameRecord

WINDOWS = 3
LONGEST_S = 5
AGREE = 0.10
FEWEST = 5
"""The least number of frames in a window whose median counts."""


@dataclass(frozen=True, slots=True)
class Window:
    """Frames delivered a second, and the median of the seconds' median latencies in milliseconds."""

    rate: float
    latency_ms: float


class Windows:
    """A watcher that keeps two figures of each recent second: frames delivered, and their median latency."""

    def __init__(self) -> None:
        self._second = 0
        self._current: list[int] = []
        self._seconds: deque[tuple[int, float]] = deque(maxlen=WINDOWS * LONGEST_S)

    def opened(self, record: FrameRecord) -> None:
        pass

    def detected(self, record: FrameRecord) -> None:
        pass

    def closed(self, record: FrameRecord) -> None:
        if record.written is None or record.latency is None:
            return
        while record.written >= (self._second + 1) * 1_000_000:
            self._close_second()
        self._current.append(record.latency)

    def _close_second(self) -> None:
        self._seconds.append((len(self._current), median(self._current) / 1000 if self._current else 0.0))
        self._current.clear()
        self._second += 1

    def last(self) -> tuple[int, list[Window]]:
        """The seconds per window, and the last three windows; none when the run is too short for them."""
        length = min(LONGEST_S, len(self._seconds) // WINDOWS)
        if length == 0:
            return 0, []
        tail = list(self._seconds)[len(self._seconds) - WINDOWS * length :]
        windows = []
        for start in range(0, len(tail), length):
            filled = [(n, ms) for n, ms in tail[start : start + length] if n]
            delivered = sum(n for n, _ in filled)
            if delivered < FEWEST:
                return length, []
            windows.append(Window(delivered / length, median(ms for _, ms in filled)))
        return length, windows


def agree(values: list[float]) -> bool:
    """Whether the largest value is at most 10 % above the smallest."""
    return max(values) <= min(values) * (1 + AGREE)
