"""The watch of a soak: a row per window, and whether the canary's boxes are still the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction

from streamer.accuracy.box_changes import changed_boxes
from streamer.detection.detections import Detections
from streamer.ledger.ledger import Watcher
from streamer.ledger.record import FrameRecord, Outcome
from streamer.machine.usage import usage
from streamer.stats.summary import Tally, statistics
from streamer.studies.soak.answers import CHANGED, NOTHING, SAME
from streamer.studies.soak.windows_csv import WindowRow


class SoakWatch:
    """A Watch and a Watcher: reports a row for each window of ``window_s``.

    It watches the ``part`` of a soak that begins with window ``first`` at ``start_s`` of the soak. ``begins`` is
    called when everything that the part needs is open.
    """

    def __init__(
        self,
        *,
        window_s: float,
        canary_every_s: float,
        part: int,
        first: int,
        start_s: float,
        report: Callable[[WindowRow], None],
        begins: Callable[[], None],
    ) -> None:
        self.canary_every_us = round(canary_every_s * 1_000_000)
        self.window_us = round(window_s * 1_000_000)
        self._part = part
        self._number = first
        self._start_s = start_s
        self._report = report
        self._begins = begins
        self._tally = Tally(closed_loop=False)
        self._begun_us = 0
        self._scheduled = self._late = 0
        self._outcomes: Counter[Outcome] = Counter()
        self._first_boxes: Detections | None = None
        self._changed: list[int] = []
        self._before = self._now = usage()

    def begins(self, *, closed_loop: bool, ticks_us: Sequence[Fraction | None]) -> Watcher:
        self._begins()
        self._tally = Tally(closed_loop=closed_loop, ticks_us=ticks_us)
        return self

    def opened(self, record: FrameRecord) -> None:
        self._scheduled += 1
        self._tally.opened(record)

    def detected(self, record: FrameRecord) -> None:
        self._tally.detected(record)

    def closed(self, record: FrameRecord) -> None:
        assert record.outcome is not None
        self._outcomes[record.outcome] += 1
        self._late += record.late
        self._tally.closed(record)

    def found(self, detections: Detections) -> None:
        if self._first_boxes is None:
            self._first_boxes = detections
            self._before = self._now = usage()  # the warm-up's usage is not the first window's
        else:
            self._changed.append(changed_boxes(self._first_boxes, detections))

    def look(self, now_us: int) -> None:
        self._now = usage()

    def between(self, now_us: int) -> None:
        self._close(now_us)

    def ends(self, end_us: int) -> None:
        # The last window may be shorter than the others.
        if end_us > self._begun_us:
            try:
                self.look(end_us)
            finally:  # after an error with the usage read last
                self._close(end_us)

    def _canary(self, changed: Sequence[int]) -> str | None:
        if not changed:
            return None
        if any(changed):
            return CHANGED
        return SAME if self._first_boxes else NOTHING

    def _close(self, now_us: int) -> None:
        now = self._now
        seconds = (now_us - self._begun_us) / 1_000_000
        figures = {name: statistics(values) for name, values in self._tally.take().items()}
        latency, result, age = figures["latency"], figures["result_latency"], figures["age"]
        changed, self._changed = self._changed, []
        self._report(
            WindowRow(
                window=self._number,
                start_s=round(self._start_s + self._begun_us / 1_000_000, 3),
                end_s=round(self._start_s + now_us / 1_000_000, 3),
                part=self._part,
                scheduled=self._scheduled,
                **{outcome.value: self._outcomes[outcome] for outcome in Outcome},
                late=self._late,
                latency_p50_ms=latency["p50"],
                latency_p95_ms=latency["p95"],
                latency_p99_ms=latency["p99"],
                latency_max_ms=latency.max,
                result_latency_p50_ms=result["p50"],
                result_latency_p95_ms=result["p95"],
                service_p50_ms=figures["service"]["p50"],
                age_p50_ms=age["p50"],
                age_p99_ms=age["p99"],
                lateness_p99_ms=figures["lateness"]["p99"],
                resident_mb=now.resident_mb,
                open_files=now.open_files,
                threads=now.threads,
                cpu_share=round((now.cpu_s - self._before.cpu_s) / seconds, 4),
                frequency_mhz=now.frequency_mhz,
                throttled=now.throttled - self._before.throttled,
                children_mb=now.children_mb,
                canary=self._canary(changed),
                canary_changed=max(changed) if changed else None,
            )
        )
        self._number += 1
        self._before = now
        self._begun_us = now_us
        self._scheduled = self._late = 0
        self._outcomes.clear()
