"""The choice among a file's video streams: the requested one, else players' choice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from pathlib import Path

from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from streamer.errors import UsageError

FLAG = "--video-stream"
"""The option that requests a stream."""


def videos(container: InputContainer) -> dict[int, VideoStream]:
    """The videos of a file by their numbers among all its video streams, as FFmpeg's 0:v:N.

    A video that begins behind the start of the file has no known size. It counts only if there is no other.
    """
    found = {number: stream for number, stream in enumerate(container.streams.video) if _is_video(stream)}
    return {number: stream for number, stream in found.items() if stream.width} or found


def choose(path: Path, container: InputContainer, requested: int | None) -> int | None:
    """The number of the stream to play: the ``requested`` one, else players' choice; None where there is no video.

    Players choose the default stream, or the largest of several, and never a single picture beside a video. Raises
    UsageError for a number that no video has.
    """
    found = videos(container)
    if not found:
        return None
    if requested is None:
        moving = {number: stream for number, stream in found.items() if stream.frames != 1} or found
        default = {number: one for number, one in moving.items() if one.disposition & Disposition.default}
        among = default or moving
        return max(among, key=lambda number: among[number].width * among[number].height)
    if requested not in found:
        there = len(container.streams.video)
        why = "is an attached picture, or of a kind that cannot be played" if requested < there else "is not there"
        raise UsageError(f"{FLAG} {requested}: that video stream of {path} {why}: give {_listed(found, ' or ')}")
    return requested


def not_played(path: Path, container: InputContainer, played: int, pids: Set[int]) -> Iterator[str]:
    """A sentence about the other videos, if there are any, and how to choose one.

    ``pids`` are those of the videos of a transport stream that is played in parts.
    """
    found = videos(container)
    others = {number: stream for number, stream in found.items() if number != played and stream.id not in pids}
    if others:
        yield (
            f"{path.name} holds {len(others) + 1} videos: number {_listed({played: found[played]}, '')} is played, "
            f"not {_listed(others, ', ')}; {FLAG} N chooses"
        )


def _listed(streams: Mapping[int, VideoStream], between: str) -> str:
    return between.join(f"{number} ({stream.width}x{stream.height})" for number, stream in streams.items())


def _is_video(stream: VideoStream) -> bool:
    # FFmpeg takes a text file for a terminal's video, and the cover of a music file for a video.
    return stream.codec_context is not None and not (
        stream.codec_context.name == "ansi" or stream.disposition & Disposition.attached_pic
    )
