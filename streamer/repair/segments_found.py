"""The segments of a run that was killed: tidied, and described as the run would have done."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av

from streamer.errors import UsageError
from streamer.rundir.frames_csv import read_frames
from streamer.rundir.paths import DETECTIONS, FRAMES, video_name
from streamer.rundir.segments import BEGINS, SegmentsPart
from streamer.rundir.written import own_files, segment_number, segments_of
from streamer.vendors import pyav


def tidy(directory: Path) -> None:
    """Removes half-compressed files. Raises UsageError when segments were deleted: their rows are lost."""
    for own in own_files(directory):
        if own.name.endswith(".csv.writing"):
            own.unlink()
    for name in (FRAMES, DETECTIONS):
        path = directory / name
        for packed in (segment for segment in segments_of(path) if segment.suffix == ".gz"):
            packed.with_suffix("").unlink(missing_ok=True)
        numbers = [segment_number(segment) for segment in segments_of(path)]
        if numbers != list(range(len(numbers))):
            raise UsageError(
                f"{directory}: segments of {name} have been deleted, and such a run cannot be repaired; "
                "its soak goes on with 'streamer soak --resume'"
            )


def segments_found(directory: Path, begun: SegmentsPart, streams: int) -> SegmentsPart:
    """The ``pieces`` of the manifest, completed from those in ``begun``; the times of the cuts are not known."""
    counts = [sum(1 for _ in read_frames(segment)) for segment in segments_of(directory / FRAMES)]
    videos = [directory / video_name(stream, streams) for stream in range(streams)]
    return {
        **begun,
        "cuts": [{"piece": number, "at_ms": None, "frames": count} for number, count in enumerate(counts)],
        "videos_begin_s": [list(_begins(video)) for video in videos] if begun["videos_begin_s"] else [],
    }


def _begins(video: Path) -> Iterator[str]:
    """The begin of each segment, from its comment; the last one has none after a kill in its first second."""
    for segment in (*segments_of(video), video):
        try:
            with pyav.open_input(str(segment)) as container:
                begins = pyav.comment(container)
        except av.FFmpegError:
            return
        if not begins:
            return
        yield begins.removeprefix(BEGINS)
