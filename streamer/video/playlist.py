"""The segments of a playlist (HLS) in local files."""

from __future__ import annotations

from pathlib import Path


def segments_of(path: Path) -> list[Path]:
    """The files that a media playlist names, in its order (RFC 8216, 4.1); none where one of them is not there.

    A playlist of playlists stands for its only one, and for none if it names several.
    """
    lines = (line.strip() for line in path.read_text(encoding="utf-8", errors="replace").splitlines())
    named = [path.parent / line for line in lines if line and not line.startswith("#")]
    if len(named) == 1 and named[0].suffix == ".m3u8" and named[0] != path:
        return segments_of(named[0])
    return named if all(segment.is_file() for segment in named) else []
