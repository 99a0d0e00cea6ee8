"""The protocol of a source of frames. The sources themselves are in ``streamer.sources``."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from streamer.frame import Frame
from streamer.schedule.file_gaps import FileGaps
from streamer.sources.access import TIMEOUT_S


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """The properties of a source.

    ``uri`` holds no credentials. ``width`` and ``height`` are in pixels; with ``own_sizes`` they are those of the
    first frame alone. ``rate`` is nominal, in frames per second. ``frames`` is None when the source is endless or
    does not say. ``time_base`` is the unit of its times, in seconds. ``comment`` is its own description, ``notes``
    are sentences to be known before a run. A pixel is shown ``sample_aspect_ratio`` times as wide as it is high.
    ``video_stream`` is the number, from 0, of the stream that is played; None where the source is no video file.
    ``gaps`` are the pauses in a file's times, None where there are none.

    A ``live`` source comes at its own pace: its frames carry their arrival, and no time is known ahead. Its ``rate``
    was measured before the run; ``announced_rate`` is its own figure, None where it has none. It has failed after
    ``timeout_s`` seconds of silence. A ``paced`` one waits for its reader, and keeps nothing; for the others
    ``longest_wait_us`` is the longest wait for a frame, in microseconds.
    """

    uri: str
    width: int
    height: int
    rate: Fraction
    frames: int | None
    time_base: Fraction
    comment: str
    live: bool = False
    paced: bool = False
    longest_wait_us: int = 0
    notes: tuple[str, ...] = ()
    sample_aspect_ratio: Fraction = Fraction(1)
    own_sizes: bool = False
    video_stream: int | None = None
    gaps: FileGaps | None = None
    announced_rate: Fraction | None = None
    timeout_s: float = TIMEOUT_S


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A frame that could not be decoded; ``arrived_us`` is its arrival at a live source, by the monotonic clock.

    ``pts`` is in seconds. ``reason`` names neither the frame nor its file or address: equal reasons are counted
    together.
    """

    stream: int
    index: int
    pts: Fraction
    reason: str
    arrived_us: int | None = None


class Source(Protocol):
    """Frames in the order of presentation."""

    @property
    def info(self) -> SourceInfo:
        """Its properties; a file's number of frames may change while it is read."""
        ...

    @property
    def doubts(self) -> list[str]:
        """A sentence for each thing found wrong with it so far."""
        ...

    def read(self) -> Frame | Unreadable | None:
        """The next frame; None at the end. Blocks. Raises SourceError when the source fails.

        After a live source has failed, the next call connects it anew.
        """
        ...

    def pts(self, index: int) -> Fraction | None:
        """The presentation time of frame ``index`` in seconds, without decoding it.

        None past the end, and for live sources.
        """
        ...

    def close(self) -> None:
        """Closes the source."""
        ...
