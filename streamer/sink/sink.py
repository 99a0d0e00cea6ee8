"""The sink: draws, encodes and writes; the last stage."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from streamer.detection.annotate import annotate, annotate_stale
from streamer.detection.detections import Detections, no_detections
from streamer.errors import SinkError
from streamer.frame import Frame, Image
from streamer.ledger.record import FrameRecord
from streamer.rundir.detections_csv import detection_rows
from streamer.video.rescaling import fitted


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """A frame with its detections, on its way to the sink."""

    frame: Frame
    record: FrameRecord
    detections: Detections


@dataclass(frozen=True, slots=True, eq=False)
class Dropped:
    """A dropped frame, on its way into the video."""

    frame: Frame
    record: FrameRecord


class Sink(Protocol):
    """Takes the results of the pipeline, in the order of the frames."""

    @property
    def blocks(self) -> bool:
        """Whether writing takes long enough to need a worker."""
        ...

    @property
    def shows_dropped(self) -> bool:
        """Whether dropped frames are wanted as well."""
        ...

    def write(self, item: Result | Dropped) -> None:
        """Draws, encodes and writes an item; stamps a result's record. Raises SinkError, which names the frame."""
        ...


class Encoder(Protocol):
    """Takes pictures, height x width x 3 in BGR, with their times in seconds."""

    def write(self, image: Image, pts: Fraction) -> None: ...


class FileSink:
    """Writes rows of detections and, with an ``encoder``, the annotated video of ``size`` (width, height).

    A frame of another size is fitted into that, once its boxes are drawn. Without a ``size`` the first frame has it.
    ``append`` takes lines of ``detections.csv``, ``names`` are the classes by number, ``media_time`` returns a
    frame's time in the video in seconds, and ``stamp`` reads the run's time in microseconds.
    """

    def __init__(
        self,
        append: Callable[[str], None],
        encoder: Encoder | None,
        names: Sequence[str],
        *,
        size: tuple[int, int] | None,
        shows_dropped: bool,
        media_time: Callable[[int, Fraction], Fraction],
        stamp: Callable[[], int],
    ) -> None:
        self._append = append
        self._encoder = encoder
        self._names = names
        self._size = size
        self._media_time = media_time
        self._stamp = stamp
        self._seen: deque[tuple[int, int, Detections]] = deque()
        self.blocks = encoder is not None
        self.shows_dropped = shows_dropped and self.blocks

    def write(self, item: Result | Dropped) -> None:
        try:
            if isinstance(item, Result):
                self._write_result(item)
            else:
                self._write_dropped(item)
        except SinkError as error:
            error.frame = item.frame.index
            raise
        except Exception as error:  # any error of the encoder ends the run, with its frame
            index = item.frame.index
            raise SinkError(f"the sink failed at frame {index}: {error}", frame=index) from error

    def _write_result(self, result: Result) -> None:
        record, frame = result.record, result.frame
        record.sink_start = self._stamp()
        if self._encoder is None:
            # Nothing is encoded: the result is written as soon as the sink has it.
            record.written = record.sink_start
        if len(result.detections):
            self._append(detection_rows(frame.stream, frame.index, result.detections, self._names))
        if self._encoder is not None:
            annotate(frame.image, result.detections, self._names)
            self._encode(self._encoder, frame)
            record.written = self._stamp()
        if self.shows_dropped and record.detected is not None:
            self._seen.append((record.scheduled, record.detected, result.detections))

    def _write_dropped(self, dropped: Dropped) -> None:
        assert self._encoder is not None
        tick = dropped.record.scheduled
        detections, age_us = self._known_at(tick)
        frame = dropped.frame
        annotate_stale(frame.image, detections, self._names, age_us)
        self._encode(self._encoder, frame)

    def _encode(self, encoder: Encoder, frame: Frame) -> None:
        height, width = frame.image.shape[:2]
        self._size = self._size or (width, height)
        encoder.write(fitted(frame.image, *self._size), self._media_time(frame.index, frame.pts))

    def _known_at(self, tick: int) -> tuple[Detections, int | None]:
        """The newest detections usable at ``tick``, and their age: how long before it their frame was due."""
        while len(self._seen) > 1 and self._seen[1][1] <= tick:
            self._seen.popleft()
        if self._seen and self._seen[0][1] <= tick:
            scheduled, _, detections = self._seen[0]
            return detections, tick - scheduled
        return no_detections(), None
