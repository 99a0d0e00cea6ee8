"""The time from the start of the command to a camera's first row, and lateness, times those of another checkout.

python -m benchmarks.first_frame BEFORE [--rounds 9] [--seconds 6]

BEFORE is a checkout of an earlier commit, as of ``git worktree add --detach BEFORE COMMIT``. Both take turns at
cameras on the loopback that send what they announce, 25 fps: RTSP (GStreamer's server), motion JPEG and MPEG-TS over
HTTP. The camera knows when each picture was made, and the video shows which picture a row is: no clock of a run is
used. A row counts from when it is scheduled.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, cast

import av
import numpy as np

from benchmarks.common import ROOT, Report, interval, needs
from streamer.frame import Image
from tests.runs import rows
from tests.sources.cameras import Camera, Pace, mjpeg, streamed
from tests.sources.rtsp_camera import RtspCamera, made_ms, why_not
from tests.videos import number_of

FPS = 25
AT_MOST = 1.05
"""Two measurements of the same differ by less."""
FIGURES = ("first row", "lateness p50", "lateness p95")
MONOTONIC_MS = 1 << 32
"""Where the time that a picture of the RTSP server bears begins anew."""
CAMERAS: dict[str, Callable[[], Any]] = {
    "rtsp": lambda: RtspCamera("--fps", str(FPS)),
    "mjpeg": lambda: mjpeg(Pace(FPS)),
    "ts": lambda: streamed(Pace(FPS), "mpegts"),
}


@dataclass(frozen=True, slots=True)
class Measured:
    """A run's figures in ms: from the start of the command to its first row, and its lateness."""

    first_row: float
    lateness_p50: float
    lateness_p95: float


def main() -> None:
    """Takes turns at each camera, and prints the figures and the verdicts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", type=Path)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=int, default=6)
    options = parser.parse_args()
    needs(options.before / "streamer")
    if (why := why_not()) is not None:
        sys.exit(why)
    report = Report()
    for name, camera in CAMERAS.items():
        found: dict[Path, list[Measured]] = {options.before: [], ROOT: []}
        for number in range(options.rounds):
            for checkout in list(found) if number % 2 == 0 else list(found)[::-1]:
                with camera() as one:
                    found[checkout].append(measured(checkout, one, options.seconds))
        compared(report, name, found[options.before], found[ROOT])
    report.end()


def compared(report: Report, name: str, before: list[Measured], after: list[Measured]) -> None:
    """Prints medians, the median ratios of the rounds with their intervals, and the verdicts on them."""
    for what in FIGURES:
        field = what.replace(" ", "_")
        these, those = ([float(getattr(one, field)) for one in runs] for runs in (before, after))
        ratios = [now / then for then, now in zip(these, those, strict=True)]
        low, high = interval(ratios)
        report.say(
            f"{name}: {what}: {median(these):.2f} ms before, {median(those):.2f} ms now; "
            f"ratio {low:.3f} to {high:.3f}"
        )
        report.at_most(f"{name}: {what}, times that before", median(ratios), AT_MOST)


def measured(checkout: Path, camera: Camera | RtspCamera, seconds: int) -> Measured:
    """A replay of a camera by the null engine, with the code of a checkout."""
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "run"
        options = ("--engine", "null", "--conf", "0.99", "--duration", f"{seconds}s", "--no-chart", "--quiet")
        # -P: not the code of the directory that this was started in.
        command = [sys.executable, "-P", "-m", "streamer", "replay", camera.address, *options, "--out", str(out)]
        there = {**os.environ, "PYTHONPATH": str(checkout.resolve())}
        start_ms = time.monotonic() * 1000
        done = subprocess.run(command, env=there, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"{checkout}: {done.stderr}")
        lateness = [float(row["lateness_ms"]) for row in rows(out / "frames.csv")]
        p50, p95 = np.quantile(lateness, (0.5, 0.95))
        return Measured(first_row_ms(out, camera, start_ms), float(p50), float(p95))


def first_row_ms(out: Path, camera: Camera | RtspCamera, start_ms: float) -> float:
    """From an instant of the monotonic clock to the first row.

    No row comes before its picture was made, and the one that came soonest came at once: that tells when the run's
    times begin.
    """
    ledger = rows(out / "frames.csv")
    delivered = [float(row["scheduled_ms"]) for row in ledger if row["outcome"] == "delivered"]
    since_start = made_since(out / "annotated.mp4", camera, start_ms)
    begin_ms = max(made - scheduled for made, scheduled in zip(since_start, delivered, strict=True))
    return begin_ms + float(ledger[0]["scheduled_ms"])


def made_since(video: Path, camera: Camera | RtspCamera, start_ms: float) -> list[float]:
    """When the pictures that a video shows were made, in ms since an instant of the monotonic clock."""
    with av.open(str(video)) as container:
        pictures = [cast(Image, frame.to_ndarray(format="bgr24")) for frame in container.decode(video=0)]
    if isinstance(camera, Camera):
        return [camera.made_s(number_of(picture)) * 1000 - start_ms for picture in pictures]
    # Half of its range before the start and half behind it: what a server kept was made before.
    half = MONOTONIC_MS / 2
    return [(made_ms(picture) - start_ms + half) % MONOTONIC_MS - half for picture in pictures]


if __name__ == "__main__":
    main()
