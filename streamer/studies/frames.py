"""The same frames of a source for every engine, as often as they are requested."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing

from streamer.errors import SourceError
from streamer.frame import Frame
from streamer.ledger.decode_errors import DecodeErrors, one_line
from streamer.sources.base import Source
from streamer.sources.registry import open_source, refuse_live
from streamer.workers.clock import MonotonicClock

KEPT_BYTES = 256 << 20
"""The most bytes of frames that are decoded once and kept; 100 frames of 4K would be 2.5 GB."""


class ChosenFrames:
    """Up to ``count`` frames of ``source``, spread evenly over it; the first frames of an endless source.

    ``among`` limits the choice to the first frames of the source. Each iteration gives the same frames in the same
    order, without those that cannot be decoded. Few and small frames come from memory; others are decoded anew, so
    that memory stays bounded.

    ``indices`` are the frames chosen. After an iteration, ``decoded`` counts the frames that it gave,
    ``decode_errors`` has those that could not be decoded, and ``missing`` counts those that never came.
    ``meanwhile`` is called for each picture that is read, chosen or not; an error that it raises ends the iteration.
    ``video_stream`` as in `open_source`. Raises UsageError for live sources, which show no frame twice, and
    SourceError when none can be decoded.
    """

    def __init__(self, source: str, count: int, among: int | None = None, *, video_stream: int | None = None) -> None:
        refuse_live(source)
        self._source = source
        self._video_stream = video_stream
        with closing(self._open()) as opened:
            self.info = opened.info
        total = min((frames for frames in (self.info.frames, among) if frames is not None), default=count)
        self.indices = spread(count, total)
        self._fits = len(self.indices) * self.info.width * self.info.height * 3 <= KEPT_BYTES
        self._kept: list[Frame] | None = None
        self.decode_errors = DecodeErrors()
        self.decoded = self.missing = 0
        self.meanwhile: Callable[[], object] = lambda: None

    def __iter__(self) -> Iterator[Frame]:
        if self._fits and self._kept is None:
            self._keep()
        yield from self._read() if self._kept is None else self._kept

    def _keep(self) -> None:
        """Keeps the frames, unless some are so large that together they exceed `KEPT_BYTES`."""
        kept, kept_bytes = [], 0
        for frame in self._read():
            kept.append(frame)
            kept_bytes += frame.image.nbytes
            if kept_bytes > KEPT_BYTES:
                self._fits = False
                return
        self._kept = kept

    def _open(self) -> Source:
        now_us = MonotonicClock().now_us
        return open_source(self._source, loop=False, now_us=now_us, video_stream=self._video_stream)

    def _read(self) -> Iterator[Frame]:
        chosen = set(self.indices)
        decode_errors, came, decoded = DecodeErrors(), 0, 0
        with closing(self._open()) as opened:
            for _ in range(self.indices[-1] + 1):
                self.meanwhile()
                picture = opened.read()
                if picture is None:
                    break
                if picture.index not in chosen:
                    continue
                came += 1
                if isinstance(picture, Frame):
                    decoded += 1
                    yield picture
                else:
                    decode_errors.count(picture.stream, picture.index, one_line(picture.reason))
        self.decode_errors, self.decoded, self.missing = decode_errors, decoded, len(chosen) - came
        if not decoded:
            raise SourceError(
                f"none of the {len(chosen)} frames chosen of {self.info.uri} can be decoded: check the file"
            )


def spread(count: int, total: int) -> tuple[int, ...]:
    """Up to ``count`` places, spread evenly over ``total``."""
    count = min(count, total)
    return tuple(place * total // count for place in range(count))
