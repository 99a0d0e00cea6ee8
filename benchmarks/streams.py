"""Many cameras on one engine: punctual, fair, at a cost per stream that does not grow, in bounded memory.

python -m benchmarks.streams [--seconds 30]

Null engines and the bundled clip, looped, at 30 fps.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.common import CLIP, Report, needs, replay
from streamer.pipeline.decode_ahead import DEPTH
from streamer.pipeline.ticket import SINK_LINK

STREAMS = (1, 2, 4, 8, 16)
ALIVE = DEPTH + 1 + 1 + SINK_LINK + 1
"""Pictures that a stream may hold: decoded ahead, waiting, in the engine, waiting for the sink, in the sink."""


def main() -> None:
    """Runs them, and prints the figures and the verdicts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=30)
    options = parser.parse_args()
    needs(CLIP)
    report = Report()
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "out"

        def run(streams: int, video: str) -> dict[str, Any]:
            length = ("--loop", "--fps", "30", "--duration", f"{options.seconds}s")
            return replay(CLIP, out, "--engine", "null", "--streams", str(streams), "--video", video, *length)

        cost = costs(report, {streams: run(streams, "none") for streams in STREAMS})
        report.below("CPU time of a frame with 16 streams, times that with one", cost[16] / cost[1], 1.1)
        memory(report, run(1, "none"), run(1, "delivered"), run(10, "delivered"))
    report.end()


def costs(report: Report, runs: dict[int, dict[str, Any]]) -> dict[int, float]:
    """CPU milliseconds of a frame, by the number of streams."""
    cost = {}
    for streams, manifest in runs.items():
        delivered = [stream["delivered"] for stream in manifest["streams"]]
        if manifest["lateness_ms"]["p99"] is None:
            sys.exit(f"{streams} streams: {sum(delivered)} frames are too few for a p99: give more --seconds")
        cost[streams] = 1000 * manifest["resources"]["cpu_s"] / sum(delivered)
        report.say(
            f"{streams:2} streams: {cost[streams]:.3f} ms of CPU time a frame, lateness p99 "
            f"{manifest['lateness_ms']['p99']:.3f} ms, delivered {min(delivered)} to {max(delivered)} each, "
            f"dropped {manifest['frames']['dropped']}"
        )
        if streams == max(runs):
            report.below(f"{streams} streams: lateness p99", manifest["lateness_ms"]["p99"], 5, " ms")
            spread = 100 * (max(delivered) - min(delivered)) / max(delivered)
            report.below(f"{streams} streams: from the least to the most delivered", spread, 1, " %")
    return cost


def memory(report: Report, bare: dict[str, Any], one: dict[str, Any], ten: dict[str, Any]) -> None:
    """Ten streams take what one does, and nine times the pictures that are alive, with decoder and encoder."""
    peaks = [manifest["resources"]["peak_resident_mb"] for manifest in (bare, one, ten)]
    source = one["source"]
    pictures = ALIVE * source["width"] * source["height"] * 3 / 1e6
    encoder = peaks[1] - peaks[0]
    report.say(
        f"peak memory: one stream {peaks[1]:.1f} MB, without a video {peaks[0]:.1f} MB; ten {peaks[2]:.1f} MB; "
        f"{ALIVE} pictures {pictures:.1f} MB"
    )
    report.below("ten streams, peak memory", peaks[2], peaks[1] + 9 * (pictures + encoder), " MB")


if __name__ == "__main__":
    main()
