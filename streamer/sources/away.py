"""A live source that may be away when the run begins: the run goes on without it, and reads it when it comes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction

from streamer.address import without_credentials
from streamer.errors import SourceError
from streamer.frame import Frame
from streamer.sources.base import Source, SourceInfo, Unreadable
from streamer.sources.live import MICROSECOND

RATES_DIFFER = Fraction(5, 100)
"""The doubt about an assumed rate names the source's own rate when it differs by more than this share."""


class AwaitedSource:
    """A live source that may be away, as stream ``stream`` of a run; ``opening`` opens it, and may raise SourceError.

    ``found`` is the source, or the error that kept it from being opened. The first ``read`` raises that error, as for
    a lost connection; each later ``read`` is an attempt to open the source, until one succeeds. Its rate is then
    assumed to be ``rate`` frames per second for the whole run. Before its first frame ``info`` has a width and a
    height of 0.
    """

    def __init__(
        self, uri: str, found: Source | SourceError, opening: Callable[[], Source], rate: Fraction, stream: int
    ) -> None:
        self._shown = without_credentials(uri)
        self._opening = opening
        self._assumed_rate: Fraction | None = None
        self._stream = stream
        self._notes: tuple[str, ...] = ()
        self._lost: SourceError | None = None
        self._source: Source | None = None
        if isinstance(found, SourceError):
            self._assumed_rate = rate
            self.lose(found)
        else:
            self._source = found

    @property
    def away(self) -> bool:
        """Whether it could not be opened, or was lost, and has not been read since."""
        return self._lost is not None

    @property
    def info(self) -> SourceInfo:
        if self._source is None:
            assert self._assumed_rate is not None
            return SourceInfo(
                self._shown, 0, 0, self._assumed_rate, None, MICROSECOND, "", live=True, notes=self._notes
            )
        info = self._source.info
        return replace(info, rate=self._assumed_rate or info.rate, notes=(*self._notes, *info.notes))

    @property
    def doubts(self) -> list[str]:
        own = [] if self._source is None else self._source.doubts
        return own if self._assumed_rate is None else [self._doubt(self._assumed_rate), *own]

    def lose(self, error: SourceError) -> None:
        """Marks the source as away because of ``error``, which the next ``read`` raises."""
        self._lost = error
        why = str(error).removeprefix(self._shown).lstrip(": ")
        self._notes = (f"stream {self._stream}: {self._shown} is away: {why}",)

    def read(self) -> Frame | Unreadable | None:
        if self._lost is not None:
            lost, self._lost = self._lost, None
            raise lost
        if self._source is None:
            self._source = self._opening()
        return self._source.read()

    def pts(self, index: int) -> Fraction | None:
        return None

    def close(self) -> None:
        if self._source is not None:
            self._source.close()

    def _doubt(self, assumed: Fraction) -> str:
        doubt = (
            f"{self._shown} was away when the run began: {float(assumed):g} frames a second, which most of the "
            "others have, are assumed as its rate"
        )
        own = assumed if self._source is None else self._source.info.rate
        return f"{doubt}; it comes at {float(own):g}" if abs(own - assumed) > RATES_DIFFER * assumed else doubt


def usual_rate(infos: Sequence[SourceInfo]) -> Fraction:
    """The rate to assume for a camera that is away: the most common one of the live sources, or else of the others.

    Of equally common rates it is the lowest, so that no row counts a frame as missed that would not have come.
    """
    rates = Counter(info.rate for info in infos if info.live) or Counter(info.rate for info in infos)
    return min(rates, key=lambda rate: (-rates[rate], rate))
