"""Result latency of ir-primed against ir-auto-shared at the camera's pace, interleaved, and what it costs.

python -m benchmarks.priming [--seconds 160] [--block 4] [--fps 5,10,30] [--video]

One run at each rate, in which priming is off in every other stretch of some seconds: speeds of a shared machine drift
by the minute, and two stretches side by side see the same. A ratio is that of the medians of two stretches, without
the first two frames of each. YOLOv5n's COCO weights on OpenCV's vtest.avi.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from statistics import median

import streamer
import streamer.run.prepare
from benchmarks.common import COCO_MODEL, FOOTAGE, Report, interval, needs
from streamer.pipeline.priming import Primer
from streamer.settings.video import Video

FASTER = (5, 10)
"""The rates at which priming has to be faster; at others it must only not be slower."""
DELAYED = 0.005
SETTLING = 2


def main() -> None:
    """Measures at each rate, and gives the verdicts; with a video figures are published only."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=160)
    parser.add_argument("--block", type=float, default=4)
    parser.add_argument("--fps", default="5,10,30")
    parser.add_argument("--video", action="store_true", help="with the annotated video; no verdicts")
    options = parser.parse_args()
    needs(FOOTAGE, COCO_MODEL)
    report = Report()
    block_us = round(options.block * 1_000_000)

    class EveryOther(Primer):
        """Primes in every other stretch of time."""

        def begin_us(self, due_us: int, now_us: int) -> int | None:
            return super().begin_us(due_us, now_us) if due_us // block_us % 2 else None

    streamer.run.prepare.Primer = EveryOther  # type: ignore[attr-defined]
    for fps in map(int, options.fps.split(",")):
        measure(report, fps, options, block_us)
    report.end()


def measure(report: Report, fps: int, options: argparse.Namespace, block_us: int) -> None:
    """One run, and its verdicts."""
    with tempfile.TemporaryDirectory() as scratch:
        run = streamer.replay(
            FOOTAGE,
            streamer.Settings(
                engine="ir-primed",
                model=str(COCO_MODEL),
                fps=fps,
                loop=True,
                frames=round(fps * options.seconds),
                video=Video.DELIVERED if options.video else Video.NONE,
                out=Path(scratch) / "run",
            ),
        )
        latencies: dict[int, list[float]] = {}
        for record in run.ledger:
            if record.result_latency is not None:
                latencies.setdefault(record.scheduled // block_us, []).append(record.result_latency / 1000)
    middle = {block: median(values[SETTLING:]) for block, values in latencies.items()}
    plain = [middle[block] for block in middle if block % 2 == 0 and block + 1 in middle]
    primed = [middle[block + 1] for block in middle if block % 2 == 0 and block + 1 in middle]
    ratios = [a / b for a, b in zip(primed, plain, strict=True)]
    low, high = interval(ratios)
    priming = run.manifest["priming"]
    assert priming is not None
    cost = priming["cpu_ms_per_primed_frame"]
    report.say(
        f"{fps} fps: result latency p50 {median(plain):.2f} ms, primed {median(primed):.2f} ms; ratio "
        f"{median(ratios):.3f} ({low:.3f} to {high:.3f}), {len(ratios)} pairs of stretches"
    )
    report.say(
        f"{fps} fps: {priming['frames_primed']} frames primed by {priming['inferences']} inferences, "
        f"{'no' if cost is None else f'{cost:.0f} ms of'} CPU time each; {priming['frames_delayed']} delayed, by at "
        f"most {priming['most_delay_ms']:.1f} ms"
    )
    if not options.video:
        delayed = priming["frames_delayed"] / max(1, priming["frames_primed"])
        what = f"{fps} fps: result latency p50, times unprimed"
        if fps in FASTER:
            report.at_most(f"{what}: upper end of the interval", high, 0.9)
        else:
            report.at_most(f"{what}: lower end of the interval", low, 1.0)
        report.at_most(f"{fps} fps: share of primed frames that were delayed", delayed, DELAYED)


if __name__ == "__main__":
    main()
