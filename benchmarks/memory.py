"""Resident memory of a replay of the bundled clip, and whether it stays flat over ``--minutes`` of ``--loop``.

python -m benchmarks.memory [--minutes 10]
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.common import CLIP, Report, replay

ALLOWED_GROWTH_MB = 8


def resident_mb(pid: int) -> float:
    """What a process has resident now."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"process {pid} has no memory")


def main() -> None:
    """Replays once and looks at the peak; then loops and looks every minute."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, default=10)
    options = parser.parse_args()
    report = Report()
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "run"
        measured = replay(CLIP, out)["resources"]["peak_resident_mb"]
        report.say(f"peak while measuring: {measured:.1f} MB")
        whole = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        report.at_most("peak of one replay, its picture included", whole, 300, " MB")
        command = [sys.executable, "-m", "streamer", "replay", CLIP, "--loop", "--duration", f"{options.minutes}m"]
        with subprocess.Popen([*map(str, command), "--quiet", "--overwrite", "--out", str(out)]) as process:
            seen = []
            while process.poll() is None:
                time.sleep(60)
                if process.poll() is None:
                    seen.append(resident_mb(process.pid))
                    report.say(f"minute {len(seen)}: {seen[-1]:.1f} MB")
    growth = seen[-1] - seen[0]
    report.at_most(f"growth from minute 1 to minute {len(seen)}", growth, ALLOWED_GROWTH_MB, " MB")
    report.end()


if __name__ == "__main__":
    main()
