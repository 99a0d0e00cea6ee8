"""The cameras of a run: sources that are open, each with its schedule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from streamer.frame import Frame
from streamer.schedule.arrivals import Arrivals, Recorded
from streamer.schedule.schedule import Pace, Schedule
from streamer.sources.base import Source, SourceInfo, Unreadable
from streamer.workers.threads import Stage


@dataclass(frozen=True, slots=True)
class Camera:
    """An open source, as one stream of a run; ``uri`` is what the user called it."""

    uri: str
    source: Source
    schedule: Schedule

    @property
    def stage(self) -> Stage:
        """The stage of reading it."""
        return stage_of(self.source)


def stage_of(source: Source) -> Stage:
    """The stage of reading a source."""
    return Stage.LIVE if source.info.live else Stage.SOURCE


class Numbered:
    """A source whose frames have the number of their stream, which is not 0."""

    def __init__(self, source: Source, stream: int) -> None:
        self._source = source
        self._stream = stream

    @property
    def info(self) -> SourceInfo:
        return self._source.info

    @property
    def doubts(self) -> list[str]:
        return [f"stream {self._stream}: {doubt}" for doubt in self._source.doubts]

    def read(self) -> Frame | Unreadable | None:
        item = self._source.read()
        return None if item is None else replace(item, stream=self._stream)

    def pts(self, index: int) -> Fraction | None:
        return self._source.pts(index)

    def close(self) -> None:
        self._source.close()


def cameras(
    uris: Sequence[str],
    sources: Sequence[Source],
    pace: Pace,
    arrivals: Arrivals | None,
    *,
    skip_gaps: bool = False,
) -> list[Camera]:
    """The cameras of a run. Their phases are spread evenly over a frame period: they are not in step.

    Gaps in the times of a source count where frames are due by these times; ``skip_gaps`` closes them.
    """
    by_its_times = pace == "source" and not isinstance(arrivals, Recorded)
    found = []
    for number, (uri, source) in enumerate(zip(uris, sources, strict=True)):
        gaps = source.info.gaps if by_its_times else None
        gaps = None if gaps is None else replace(gaps, skipped=skip_gaps)
        # Whether or not the gaps count: the annotated video has the source's times all the same.
        whole_us = source.info.gaps is not None and source.info.time_base < Fraction(1, 1_000_000)
        schedule = Schedule(pace, source.info.rate, arrivals, gaps=gaps, whole_us=whole_us)
        phase_us = round(Fraction(1_000_000 * number, len(uris)) / schedule.rate)
        numbered = Numbered(source, number) if number else source
        found.append(Camera(uri, numbered, replace(schedule, phase_us=phase_us)))
    return found
