"""Which of a file's video streams is the video: players' choice, or the one that was asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from pathlib import Path

from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from streamer.errors import UsageError

FLAG = "--video-stream"
"""The option that chooses."""


def videos(container: InputContainer) -> dict[int, VideoStream]:
    """The videos of a file by their numbers, which are those among all its video streams, as FFmpeg's 0:v:N.

    One whose size is not known, as it begins behind the start of the file, counts only if there is no other.
    """
    found = {number: stream for number, stream in enumerate(container.streams.video) if _is_video(stream)}
    return {number: stream for number, stream in found.items() if stream.width} or found


def choose(path: Path, container: InputContainer, asked: int | None) -> int | None:
    """The number of the stream to play: the one ``asked`` for, else players' choice; None where there is no video.

    That is the default one, and of several the largest; never a single picture beside a video. Raises UsageError
    for a number that is none of a video.
    """
    found = videos(container)
    if not found:
        return None
    if asked is None:
        moving = {number: stream for number, stream in found.items() if stream.frames != 1} or found
        default = {number: one for number, one in moving.items() if one.disposition & Disposition.default}
        among = default or moving
        return max(among, key=lambda number: among[number].width * among[number].height)
    if asked not in found:
        there = len(container.streams.video)
        why = "is an attached picture, or of a kind that cannot be played" if asked < there else "is not there"
        raise UsageError(f"{FLAG} {asked}: that video stream of {path} {why}: give {_listed(found, ' or ')}")
    return asked


def not_played(path: Path, container: InputContainer, played: int, pids: Set[int]) -> Iterator[str]:
    """A sentence about the other videos, if there are any, and how to choose one.

    Of a transport stream that is played in parts, ``pids`` are those of its videos.
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
    # FFmpeg plays text files, as an old terminal would, and has the cover of a piece of music for a video.
    return stream.codec_context is not None and not (
        stream.codec_context.name == "ansi" or stream.disposition & Disposition.attached_pic
    )
