"""A camera with three outages: they are in the ledger, every frame has an outcome, and no latency stays.

python -m benchmarks.rtsp [--seconds 20]

GStreamer's RTSP server on the loopback, 640x480 at 30 fps, is killed and started again. Each picture shows the
instant at which it was made. The age of pictures when they arrive (encoder, server, network, decoder) is compared
before the first outage and after each, and so is the result latency with the null engine of 10 ms.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import cast

import av
import numpy as np

from benchmarks.common import ROOT, Report
from streamer.frame import Image
from streamer.ledger.record import FrameRecord, Outcome
from streamer.rundir.frames_csv import read_frames
from streamer.verification import verify
from tests.runs import manifest
from tests.sources.rtsp_camera import RtspCamera, made_ms, why_not

RESTARTS = 3
AWAY_S = 6.0
PERIOD_MS = 1000 / 30
COMES_WITHIN_S = 60.0
ENGINE = "null,delay_ms=10"


@dataclass(frozen=True, slots=True)
class Stretch:
    """From one gap to the next: how many were delivered, how old they came, and their result latency, medians in ms.

    The age is counted from an instant that is the same for all.
    """

    delivered: int
    age_ms: float
    latency_ms: float


def main() -> None:
    """Runs it, and prints the figures and the verdicts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--seconds", type=float, default=20.0, help="with a signal, before each gap and after the last"
    )
    options = parser.parse_args()
    if (why := why_not()) is not None:
        sys.exit(why)
    report = Report()
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "run"
        code = _run(out, options.seconds)
        found, gaps = verify(out), manifest(out)["gaps"]
        records = sorted(read_frames(out / "frames.csv"), key=lambda record: record.frame)
        stretches = stretches_of(records, out / "annotated.mp4")
    for gap in gaps["each"]:
        report.say(
            f"gap from {gap['begin_ms'] / 1000:.1f} to {gap['end_ms'] / 1000:.1f} s: {gap['frames']} frames, "
            f"{gap['attempts']} attempts: {'; '.join(gap['why'])}"
        )
    first = stretches[0]
    for number, one in enumerate(stretches):
        report.say(
            f"stretch {number}: {one.delivered} delivered, arrived {one.age_ms - first.age_ms:+.2f} ms later than at "
            f"first, result latency p50 {one.latency_ms:.2f} ms"
        )
    report.at_most("exit code of the interrupted run, difference from 130", abs(code - 130), 0)
    report.at_most("what verify finds wrong, frames unaccounted for among it", len(found.reasons), 0)
    report.at_most("outages in the ledger, difference from restarts", abs(len(stretches) - 1 - RESTARTS), 0)
    later = max(one.age_ms - first.age_ms for one in stretches[1:])
    report.at_most("pictures are older after an outage, median, most", later, PERIOD_MS, " ms")
    slower = max(one.latency_ms - first.latency_ms for one in stretches[1:])
    report.at_most("result latency grown after an outage, median, most", slower, PERIOD_MS / 4, " ms")
    report.end()


def stretches_of(records: list[FrameRecord], video: Path) -> list[Stretch]:
    """The stretches between outages of the run that wrote these rows, sorted by frame, and this video."""
    delivered = [record for record in records if record.outcome is Outcome.DELIVERED]
    with av.open(str(video)) as container:
        made = [made_ms(cast(Image, picture.to_ndarray(format="bgr24"))) for picture in container.decode(video=0)]
    when = dict(zip((record.frame for record in delivered), made, strict=True))
    shown = [record for record in records if record.outcome in (Outcome.DELIVERED, Outcome.SOURCE_ERROR)]
    found = []
    for outcome, group in groupby(shown, key=lambda record: record.outcome):
        if outcome is Outcome.DELIVERED:
            here = list(group)
            ages = [record.scheduled / 1000 - when[record.frame] for record in here]
            latencies = [record.result_latency or 0 for record in here]
            found.append(Stretch(len(here), float(np.median(ages)), float(np.median(latencies)) / 1000))
    return found


def _run(out: Path, seconds: float) -> int:
    with RtspCamera("--size", "640x480") as camera:
        command = [sys.executable, "-m", "streamer", "replay", camera.address, "--engine", ENGINE]
        with subprocess.Popen([*command, "--quiet", "--out", str(out)], cwd=ROOT) as process:
            for _ in range(RESTARTS):
                _comes(process, out, seconds)
                camera.off()
                time.sleep(AWAY_S)
                camera.on()
            _comes(process, out, seconds)
            process.send_signal(signal.SIGINT)
            return process.wait()


def _comes(process: subprocess.Popen[bytes], out: Path, seconds: float) -> None:
    """Waits until a frame is delivered, and then for so long."""
    before, begin_by = _delivered(out), time.monotonic() + COMES_WITHIN_S
    while _delivered(out) == before:
        if process.poll() is not None or time.monotonic() > begin_by:
            process.kill()
            sys.exit("no frame came")
        time.sleep(0.05)
    time.sleep(seconds)


def _delivered(out: Path) -> int:
    table = out / "frames.csv"
    return table.read_text().count(",delivered,") if table.is_file() else 0


if __name__ == "__main__":
    main()
