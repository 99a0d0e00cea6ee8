"""How long ``streamer --help`` takes.

python -m benchmarks.startup
"""

from __future__ import annotations

import subprocess
import sys
import time
from statistics import median

from benchmarks.common import Report


def main() -> None:
    """Runs it 15 times."""
    report = Report()
    seconds = []
    for _ in range(15):
        start = time.monotonic()
        subprocess.run([sys.executable, "-m", "streamer", "--help"], stdout=subprocess.DEVNULL, check=True)
        seconds.append(time.monotonic() - start)
    report.at_most("streamer --help, median", median(seconds), 0.3, " s")
    report.end()


if __name__ == "__main__":
    main()
