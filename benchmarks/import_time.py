"""How long ``import streamer`` takes, and that it loads no vendor and no NumPy.

python -m benchmarks.import_time
"""

from __future__ import annotations

import subprocess
import sys
import time
from statistics import median

from benchmarks.common import ROOT, Report, interval, spread

ROUNDS = 40
TARGET_MS = 60
HEAVY = ("anyio", "av", "click", "cv2", "matplotlib", "numpy", "openvino", "torch")


def milliseconds(statement: str) -> float:
    """The time of a new Python for a statement, from its start to its end, in milliseconds."""
    start = time.monotonic()
    subprocess.run([sys.executable, "-c", statement], cwd=ROOT, check=True)
    return (time.monotonic() - start) * 1000


def loaded() -> list[str]:
    """The heavy modules that ``import streamer`` loads."""
    statement = f"import streamer, sys; print(*(name for name in {HEAVY} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", statement], cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout.split()


def main() -> None:
    """Python with the import and without it take turns."""
    report = Report()
    milliseconds("import streamer")
    bare, extra = [], []
    for _ in range(ROUNDS):
        bare.append(milliseconds("pass"))
        extra.append(milliseconds("import streamer") - bare[-1])
    low, high = interval(extra)
    report.say(f"milliseconds, median of {ROUNDS} processes and range; bare Python {spread(bare)}")
    report.say(
        f"import streamer, less bare Python: {spread(extra)}, 99 % interval of the median {low:.1f} to {high:.1f}"
    )
    report.at_most("import streamer, median", median(extra), TARGET_MS, " ms")
    found = loaded()
    report.at_most(f"of {', '.join(HEAVY)} it loads {' '.join(found) or 'none'}", len(found), 0)
    report.end()


if __name__ == "__main__":
    main()
