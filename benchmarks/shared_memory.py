"""The gain of shared memory in the tutorial, and its cause: the conversion of the input, or the copy.

python -m benchmarks.shared_memory [--rounds 8] [--number 300]

`streamer bench` of ir-auto and ir-auto-shared, one right after the other, in turns with --input float32 (only a copy
is left) and --input tutorial (float64, in another order in memory, to be converted as well). Differences are computed
within each run, and their medians over the rounds.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.common import Report, streamer

PAIR = ("ir-auto", "ir-auto-shared")


def main() -> None:
    """Runs the rounds, and prints the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--number", type=int, default=300)
    options = parser.parse_args()
    report = Report()
    gains: dict[str, list[float]] = {"float32": [], "tutorial": []}
    with tempfile.TemporaryDirectory() as scratch:
        for number in range(options.rounds):
            # The input that is first in one round is last in the next, and so are the engines.
            inputs = list(gains) if number % 2 == 0 else list(gains)[::-1]
            engines = PAIR if number // 2 % 2 == 0 else PAIR[::-1]
            for given in inputs:
                common = [part for engine in engines for part in ("--engine", engine)]
                out = Path(scratch) / "out"
                rows = streamer("bench", *common, "--number", str(options.number), "--input", given, "--out", out)
                p50 = {row["engine"]: row["p50_ms"] for row in rows["engines"]}
                gains[given].append(p50["ir-auto"] - p50["ir-auto-shared"])
                report.say(f"{number + 1}, {given}: " + ", ".join(f"{name} {p50[name]:.2f} ms" for name in PAIR))
    copy, both = median(gains["float32"]), median(gains["tutorial"])
    report.say(f"shared memory saves {copy:.2f} ms with float32, the copy; {both:.2f} ms with the tutorial's input")
    report.at_least("the conversion's part of it, ms", both - copy, 0)
    report.end()


if __name__ == "__main__":
    main()
