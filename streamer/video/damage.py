"""The damaged and the missing frames of a video file."""

from __future__ import annotations

from itertools import groupby, zip_longest
from pathlib import Path

from av.container import InputContainer
from av.video.stream import VideoStream

from streamer.video.packets import Flagged, Packets
from streamer.video.transport_stream import Jump, content, jumps
from streamer.video.truncation import ends_early, indexes_every_frame


def damaged(
    path: Path, container: InputContainer, packets: Packets
) -> tuple[list[int | None], list[int | None], int]:
    """The ticks of the damaged packets; those of packets that FFmpeg calls corrupt and that are whole; and the number
    of places where packets are missing between frames, which harms none.

    FFmpeg calls the packet before a jump of a transport stream's counters corrupt, whatever the reason: the counters
    also begin anew where another segment is joined on.
    """
    broken: list[int | None] = []
    whole: list[int | None] = []
    between = 0
    for pid, group in groupby(packets.flagged, key=lambda flagged: flagged.pid):
        found = jumps(content(path), pid) if container.format.name == "mpegts" else []
        between += sum(jump.between and not jump.joined for jump in found)
        flagged = list(group)
        for one, later in zip_longest(flagged, flagged[1:]):
            behind = [jump for jump in found if jump.place > one.place]
            hurt = _damaged(one, [jump for jump in behind if later is None or jump.place <= later.place])
            if container.format.name == "hls" and one.before_key:
                hurt = []  # Each segment of a playlist counts anew, and begins with a key frame (RFC 8216, 3).
            broken += [packets.ticks[number] for number in hurt if 0 <= number < len(packets.ticks)]
            whole += [] if one.number in hurt else [packets.ticks[one.number]]
    return broken, whole, between


def missing_frames(path: Path, container: InputContainer, stream: VideoStream, packets: Packets) -> int | None:
    """The number of promised frames that are not in the file; None where it is cut off and promises no number."""
    if indexes_every_frame(path):
        promised = sum(not entry.is_discard for entry in stream.index_entries)
        return max(0, promised - packets.number)
    if not ends_early(path, container.format.name):
        return 0
    if container.format.name == "avi" and stream.frames:
        return max(0, stream.frames - packets.number)
    return None


def _damaged(flagged: Flagged, behind: list[Jump]) -> list[int]:
    """The numbers of the pictures that the jumps behind a flagged packet damage: its own, the next, or none."""
    if not behind:  # FFmpeg had another reason.
        return [flagged.number]
    # Where a parser cuts the packets, it puts the flag on the one before.
    numbers = (flagged.number + (jump.picture > flagged.place) for jump in behind if not jump.between)
    return list(dict.fromkeys(numbers))
