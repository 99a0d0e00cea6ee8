"""Faults of a source: it stalls or ends, and its frames are damaged, black or of another size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import cast

import numpy as np

from streamer.faults.kinds import Kind
from streamer.faults.plan import Fault
from streamer.faults.process import ProcessFault
from streamer.faults.trigger import Trigger
from streamer.frame import Frame, Image
from streamer.sources.base import Source, SourceInfo, Unreadable
from streamer.vendors.opencv import cv2
from streamer.video.rescaling import SizeChanges


class FaultySource:
    """A source with faults; ``first`` is the number of its next frame.

    ``processes`` are faults of the process: they begin when their frame is due. ``at_us`` is when a frame is due or,
    without a schedule, the current time; ``now_us`` reads the time of the run; both in microseconds of the run.
    ``block`` blocks for a number of seconds.
    """

    def __init__(
        self,
        source: Source,
        first: int,
        faults: Sequence[Trigger],
        processes: Sequence[ProcessFault],
        at_us: Callable[[int], int],
        now_us: Callable[[], int],
        block: Callable[[float], None],
    ) -> None:
        self._source = source
        self._next = first
        self._ends = [trigger for trigger in faults if trigger.fault.kind is Kind.END]
        self._stalls = [trigger for trigger in faults if trigger.fault.kind is Kind.STALL]
        self._spoil = [trigger for trigger in faults if trigger.fault.kind not in (Kind.END, Kind.STALL)]
        self._processes = processes
        self._at_us = at_us
        self._now_us = now_us
        self._block = block
        self._sizes = SizeChanges()
        self._sizes.look(first, source.info.width, source.info.height)
        self._ends_at: int | None = None

    @property
    def info(self) -> SourceInfo:
        return self._source.info

    @property
    def doubts(self) -> list[str]:
        """The doubts of the faults alone: the source has its own."""
        return self._sizes.doubts

    def read(self) -> Frame | Unreadable | None:
        index = self._next
        self._next += 1
        at_us = self._at_us(index)
        if any(trigger.fires(index, at_us) for trigger in self._ends):
            self._ends_at = self._ends_at or index
            return None
        for process in self._processes:
            if process.trigger.fires(index, at_us):
                process.begin(max(0, at_us - self._now_us()))
        for trigger in self._stalls:
            if trigger.fires(index, at_us):
                self._block(trigger.fault.for_us / 1_000_000)
        item = self._source.read()
        for trigger in self._spoil:
            if isinstance(item, Frame) and trigger.fires(index, at_us):
                item = self._spoiled(item, trigger.fault)
        return item

    def pts(self, index: int) -> Fraction | None:
        return None if self._ends_at is not None and index >= self._ends_at else self._source.pts(index)

    def close(self) -> None:
        self._source.close()

    def _spoiled(self, frame: Frame, fault: Fault) -> Frame | Unreadable:
        match fault.kind:
            case Kind.CORRUPT:
                return Unreadable(frame.stream, frame.index, frame.pts, fault.name, frame.arrived_us)
            case Kind.BLACK:
                return replace(frame, image=np.zeros_like(frame.image))
            case Kind.RESOLUTION:
                return replace(frame, image=self._scaled(frame.index, frame.image, fault.size))
        return frame

    def _scaled(self, index: int, image: Image, size: tuple[int, int]) -> Image:
        """The picture, height x width x 3, as if the source had given it in this ``size``: scaled there and back."""
        height, width = image.shape[:2]
        if size == (width, height):
            return image
        self._sizes.look(index, *size)
        return cast(Image, cv2.resize(cv2.resize(image, size), (width, height)))
