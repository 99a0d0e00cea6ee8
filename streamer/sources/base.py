"""What a source of frames is. The sources themselves are in ``streamer.sources``."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from streamer.frame import Frame
from streamer.schedule.file_gaps import FileGaps
from streamer.sources.access import TIMEOUT_S


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What a source delivers.

    ``uri`` is fit to be shown: it holds no credentials. ``rate`` is nominal, in frames per second; ``frames`` is None
    when it is endless or does not say; ``time_base`` is the unit of its times, in seconds; ``comment`` is what it
    says about itself, and ``notes`` are sentences about what is to be known of it. A ``live`` source comes at its
    own pace: its frames carry the instant at which they arrived, and no time is known ahead; its ``rate`` is the one
    at which they came before the run, and ``announced_rate`` what it says of itself, None where it does not. One
    that is ``paced`` waits for its reader, and keeps nothing; ``longest_wait_us`` is for how long a frame of another
    one was waited for at most, in microseconds. A pixel
    is shown ``sample_aspect_ratio`` times as wide as it is high. Where pictures have ``own_sizes``, ``width`` and
    ``height`` are those of the first alone. ``video_stream`` is which of a file's video streams is played, by its
    number from 0; None of what is no video file. ``gaps`` are those in its times, None where there are none. A
    live one may be silent for ``timeout_s`` seconds.
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
    """A frame that was due, or of a live source arrived at ``arrived_us``, and could not be decoded.

    ``reason`` says why in words that do not name the frame, nor its file or address: equal ones are counted together.
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
        """What it delivers."""
        ...

    @property
    def doubts(self) -> list[str]:
        """What was found wrong with it so far, a sentence each."""
        ...

    def read(self) -> Frame | Unreadable | None:
        """The next frame; None at the end. Blocks. Raises SourceError when the source fails.

        When a live source has failed, the next call connects it anew.
        """
        ...

    def pts(self, index: int) -> Fraction | None:
        """The presentation time of frame ``index``, without decoding it; None past the end, and for live sources."""
        ...

    def close(self) -> None:
        """Lets go of the source."""
        ...
