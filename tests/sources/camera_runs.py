"""Runs of live cameras, as a test sees them: each stream's rows, and the pictures and times of its video."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
from av.video.frame import VideoFrame

from streamer.frame import Image
from streamer.vendors import pyav
from streamer.verification import verify
from tests import runs
from tests.runs import Finished, manifest, rows
from tests.videos import number_of

TOP = 8
"""The lines at the top of a picture that hold its number, and nothing that is drawn."""


@dataclass(frozen=True)
class Shown:
    """A frame of an annotated video: the number of its picture, and its time in seconds since the video's first."""

    number: int
    at_s: Fraction


@dataclass(frozen=True)
class StreamRun:
    """One camera's stream of a run; its video ``shown`` has ``video_s`` seconds."""

    part: Mapping[str, Any]
    outages: list[Mapping[str, Any]]
    rows: list[dict[str, str]]
    shown: list[Shown]
    video_s: Fraction
    doubts: list[str]

    @property
    def fps(self) -> Fraction:
        """Its rate in run.json."""
        return Fraction(self.part["fps"])

    @property
    def pictures(self) -> dict[int, int]:
        """The number of each row's picture, by the place of the row, for rows with a picture."""
        came = [place for place, row in enumerate(self.rows) if row["outcome"] in ("delivered", "dropped")]
        assert len(came) == len(self.shown), "the video shows other frames than came"
        return {place: shown.number for place, shown in zip(came, self.shown, strict=True)}

    @property
    def length_s(self) -> float:
        """Seconds from the first row with a picture to the end of the last one, by arrivals."""
        places = list(self.pictures)
        first, last = (float(self.rows[place]["scheduled_ms"]) for place in (places[0], places[-1]))
        return (last - first) / 1000 + float(1 / self.fps)


@dataclass(frozen=True)
class CameraRun:
    """A run of several cameras that has ended, and is verified."""

    done: Finished
    document: Mapping[str, Any]
    streams: list[StreamRun]


def camera_run(addresses: list[str], model: Path, out: Path, *more: str) -> CameraRun:
    """Replays cameras with the null engine; nothing is drawn over the pictures. The run and ``verify`` agree.

    The run has a process of its own: the servers are threads of this one, and have to send on time.
    """
    usual = (
        "--engine",
        "null",
        "--model",
        model,
        "--conf",
        "0.99",
        "--video",
        "all",
        "--no-chart",
        "--quiet",
        "--out",
        out,
    )
    done = runs.process("replay", *addresses, *usual, *more, cwd=out.parent)
    assert (out / "run.json").is_file(), done.err
    document = manifest(out)
    found = verify(out)
    assert found.reasons == []
    assert found.run_verdict == document["verdict"]
    return CameraRun(done, document, [_stream(out, document, number) for number in range(len(addresses))])


def _stream(out: Path, document: Mapping[str, Any], stream: int) -> StreamRun:
    several = len(document["streams"]) > 1
    ledger = [row for row in rows(out / "frames.csv") if row["stream"] == str(stream)]
    assert [int(row["frame"]) for row in ledger] == list(range(len(ledger))), "frames are missing or twice"
    shown, video_s = _shown(out / (f"annotated-{stream}.mp4" if several else "annotated.mp4"))
    prefix = f"stream {stream}: " if stream else ""
    others = re.compile(r"stream \d+: ")
    own = [
        doubt.removeprefix(prefix)
        for doubt in document["doubts"]
        if (doubt.startswith(prefix) if prefix else not others.match(doubt))
    ]
    outages = [outage for outage in document["gaps"]["each"] if outage["stream"] == stream]
    return StreamRun(document["streams"][stream], outages, ledger, shown, video_s, own)


def _shown(video: Path) -> tuple[list[Shown], Fraction]:
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        tick_s = pyav.time_base(stream)
        found = [(_number(frame), frame.pts) for frame in container.decode(stream)]
        assert stream.duration is not None
        length_s = stream.duration * tick_s
    ticks = [pts for _, pts in found if pts is not None]
    assert len(ticks) == len(found)
    return [Shown(number, (pts - ticks[0]) * tick_s) for number, pts in found if pts is not None], length_s


def _number(frame: VideoFrame) -> int:
    # The middle of a dropped frame has a text about that.
    return number_of(cast(Image, frame.to_ndarray(format="bgr24"))[:TOP])
