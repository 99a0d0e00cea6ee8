"""Hours of files whose structure is not as it should be: each picture that FFmpeg decodes is played, and none hangs.

python -m benchmarks.structure_fuzz [--hours 1] [--files 200] [--seed 1]

Packets lost, doubled, out of order and at wrong times, ends cut off, files joined, as tests/edits.py has them. Rounds
of ``--files`` go over the codecs and their containers in turn, each in a process of its own; every tenth is of whole
runs by the null engine, of which a tenth as many. A round ends at the first file that fails; the smallest one like it
is printed, and made again by ``Edited(...).write(path)``.
"""

from __future__ import annotations

import argparse
import faulthandler
import itertools
import multiprocessing
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import hypothesis
from hypothesis import HealthCheck, given, settings

from benchmarks.common import CLIP, Report, needs
from tests.decoded import check_accounted, check_played
from tests.edits import BOTH, Edited, files

HANGS_AFTER_S = 60.0
"""A clip of a second is read in some hundredths of one, and run in some tenths."""
HUNG = "it hung or crashed"
RUNS_EVERY = 10


@dataclass(frozen=True, slots=True)
class Round:
    """Files of a codec in a container, and whether they are run or only read."""

    codec: str
    container: str
    runs: bool
    files: int
    seed: int

    def __str__(self) -> str:
        return f"{self.codec} in {self.container}{', run' if self.runs else ''}"


def main() -> None:
    """Goes on for so many hours, and prints each file that fails and the verdicts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    needs(CLIP)
    report = Report()
    ends = time.monotonic() + options.hours * 3600
    tried, rounds, failed, ended = 0, 0, 0, 0
    for seed, (codec, container) in zip(
        itertools.count(options.seed * 1_000_000), itertools.cycle(BOTH), strict=False
    ):
        if time.monotonic() >= ends:
            break
        runs = rounds % RUNS_EVERY == RUNS_EVERY - 1
        one = Round(codec, container, runs, max(1, options.files // RUNS_EVERY) if runs else options.files, seed)
        count, edited, why = fuzzed(one)
        rounds += 1
        tried += count
        failed += bool(why)
        ended += why == HUNG
        if why:
            report.say(f"{one}, seed {seed}: {edited}\n    {why}")
    report.say(f"{tried:,} files in {rounds} rounds")
    report.at_most("rounds with a file that is not played as FFmpeg decodes it", failed, 0)
    report.at_most("rounds that hung or crashed", ended, 0)
    report.end()


def fuzzed(one: Round) -> tuple[int, str, str]:
    """How many files a round tried, the smallest one that failed, and why; both empty where none did."""
    with tempfile.TemporaryDirectory() as scratch:
        process = multiprocessing.get_context("spawn").Process(target=_fuzz, args=(one, Path(scratch)))
        process.start()
        process.join()
        latest = Path(scratch) / "latest"
        count, edited, why = latest.read_text(encoding="utf-8").split("\n", 2) if latest.exists() else ("0", "", "")
        return int(count), edited, HUNG if process.exitcode else why


def _fuzz(one: Round, scratch: Path) -> None:
    """Tries the files of a round; ``latest`` in ``scratch`` says how many, the last of them, and why it failed."""
    count, latest = 0, Edited(one.codec, one.container, ())

    def note(edited: Edited, why: str) -> None:
        (scratch / "latest").write_text(f"{count}\n{edited!r}\n{why}", encoding="utf-8")

    @hypothesis.seed(one.seed)
    @settings(
        max_examples=one.files,
        deadline=None,
        database=None,
        report_multiple_bugs=False,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(files([(one.codec, one.container)]))
    def fuzz(edited: Edited) -> None:
        nonlocal count, latest
        count, latest = count + 1, edited
        note(edited, HUNG)
        faulthandler.dump_traceback_later(HANGS_AFTER_S, exit=True)
        with tempfile.TemporaryDirectory(dir=scratch) as folder:
            path = Path(folder) / "edited"
            edited.write(path)
            if one.runs:
                check_accounted(path, Path(folder) / "run", cut_off=edited.cut_off)
            else:
                check_played(path, cut_off=edited.cut_off)
        faulthandler.cancel_dump_traceback_later()

    try:
        fuzz()
    except Exception as error:  # whatever a file brings about; hypothesis raises it for the smallest one last
        note(latest, f"{type(error).__name__}: {error}".splitlines()[0])
    else:
        (scratch / "latest").write_text(f"{count}\n\n", encoding="utf-8")


if __name__ == "__main__":
    main()
