"""SIGKILL at random times: the files are whole up to the kill, the videos play, and the run can be repaired.

python -m benchmarks.kills [--kills 20] [--seed 1]

The bundled clip, looped, at 30 fps: mostly the null engine of 5 ms, every fifth run ir-auto-shared, and every fourth
three streams at once. The kill comes 0 to 8 s after the first row.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.common import CLIP, ROOT, Report, needs
from streamer.repair.repair import repair
from streamer.verification import verify

LONGEST_S = 8.0
BEHIND_S = 1.5
"""How far the video may end before the last frame delivered: a fragment of a second, and a little."""
STARTS_WITHIN_S = 120.0


@dataclass(frozen=True, slots=True)
class Killed:
    """What became of a run: whether it was whole and repaired, and how far before its last frame a video ends."""

    whole: bool
    repaired: bool
    behind_s: float
    frames: int
    text: str


def main() -> None:
    """Kills the runs, and prints what is left of each and the verdicts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    needs(CLIP)
    report = Report()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as scratch:
        found = []
        for number in range(options.kills):
            engine = "ir-auto-shared" if number % 5 == 4 else "null,delay_ms=5"
            streams = 3 if number % 4 == 3 else 1
            after_s = chance.uniform(0, LONGEST_S)
            one = killed(Path(scratch) / str(number), engine, streams, after_s)
            found.append(one)
            report.say(f"{number + 1:2}: {engine}, {streams} streams, killed after {after_s:.2f} s: {one.text}")
    report.say(f"{sum(one.frames for one in found)} rows in all")
    report.at_least("run directories whole up to the kill", sum(one.whole for one in found), options.kills)
    report.at_least("run directories repaired and verified", sum(one.repaired for one in found), options.kills)
    report.at_most(
        "video ends before the last frame delivered, most", max(one.behind_s for one in found), BEHIND_S, " s"
    )
    report.end()


def killed(out: Path, engine: str, streams: int, after_s: float) -> Killed:
    """Runs into ``out``, kills the run ``after_s`` after its first row, verifies what is left, and repairs it."""
    options = ("--engine", engine, "--streams", str(streams), "--fps", "30", "--loop", "--quiet", "--out", str(out))
    with subprocess.Popen([sys.executable, "-m", "streamer", "replay", str(CLIP), *options], cwd=ROOT) as process:
        begin_by = time.monotonic() + STARTS_WITHIN_S
        while not _has_a_row(out / "frames.csv"):
            if process.poll() is not None or time.monotonic() > begin_by:
                process.kill()
                sys.exit(f"the run in {out} did not begin")
            time.sleep(0.01)
        time.sleep(after_s)
        process.kill()
    found = verify(out)
    if found.remains is None:
        return Killed(False, False, float("inf"), 0, f"not recognized as a killed run: {found.reasons}")
    remains = found.remains
    behind_s = max(_behind_s(video.plays_until_ms, video.delivered_until_ms) for video in remains.videos)
    manifest = repair(out)
    assert manifest is not None
    mended, after = manifest["repaired"], verify(out)
    assert mended is not None
    text = (
        f"{remains.rows} rows, {mended['torn_lines']} torn, {mended['abandoned']} frames in flight, "
        f"video {behind_s:.2f} s behind; {manifest['verdict']}, {len(after.reasons)} reasons"
    )
    repaired = after.valid and manifest["verdict"] == "INTERRUPTED"
    return Killed(not found.reasons, repaired, behind_s, remains.rows, text)


def _behind_s(played_ms: float | None, delivered_ms: float | None) -> float:
    """How far the video ends before the last frame; before its first fragment nothing plays, and all is missing."""
    if delivered_ms is None:
        return 0.0
    return (delivered_ms - played_ms) / 1000 if played_ms is not None else delivered_ms / 1000


def _has_a_row(table: Path) -> bool:
    return table.is_file() and table.read_bytes().count(b"\n") > 1


if __name__ == "__main__":
    main()
