"""Random plans of faults with real processes and disks: each run ends as it should, in time, and loses no frame.

python -m benchmarks.chaos [--plans 10] [--seed 1]

Two and a half seconds of the bundled clip at 60 fps go through the null engine of 3 ms, in one to three streams. Each
engine that is lost adds four seconds, so that later faults are injected as well. Every fifth plan runs on a disk of
2 MB, which becomes full, where such a disk may be mounted.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.common import CLIP, ROOT, Report, needs
from streamer.pipeline.drop_policy import Policy
from streamer.verification import verify

STALL_S = 2.0
RESPAWNS = 2
FRAMES, FRAMES_OF_A_LOSS = 150, 240
ENDS_WITHIN_S = 60.0
SMALL_DISK = "2m"
Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """A plan of faults, the options of its run, and the exit code expected of that."""

    faults: Sequence[Entry]
    options: Sequence[str]
    code: int


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended, ``code`` None when it hung and was killed, and what verify found."""

    code: int | None
    seconds: float
    printed: str
    reasons: Sequence[str]


def main() -> None:
    """Runs the plans, and prints what came of each and the verdicts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plans", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    needs(CLIP)
    report = Report()
    found: list[tuple[Case, Ended]] = []
    with tempfile.TemporaryDirectory() as scratch:
        for number in range(options.plans):
            folder = Path(scratch) / str(number)
            folder.mkdir()
            case = case_of(options.seed * 1000 + number)
            small = number % 5 == 4 and may_mount(folder)
            with small_disk(folder / "disk") if small else nullcontext(folder) as disk:
                if small:
                    case = Case([], [*case.options, "--loop", "--frames", "100000", "--video", "delivered"], 1)
                ended = run(case, folder, disk / "run")
            found.append((case, ended))
            kinds = ", ".join(fault["kind"] for fault in case.faults) or f"a disk of {SMALL_DISK}B"
            report.say(
                f"{number + 1:2}: {kinds}: exit {ended.code}, expected {case.code}, after {ended.seconds:.1f} s; "
                f"{len(ended.reasons)} reasons{': ' + ended.printed if ended.printed else ''}"
            )
    plans = len(found)
    report.at_least("runs that ended by themselves", sum(ended.code is not None for _, ended in found), plans)
    report.at_least("with the exit code expected", sum(ended.code == case.code for case, ended in found), plans)
    report.at_least("verified, every frame with its outcome", sum(not ended.reasons for _, ended in found), plans)
    report.end()


def case_of(seed: int) -> Case:
    """A random plan: some faults that a run survives, and often one that ends it."""
    chance = random.Random(seed)
    streams, respawns = chance.choice([1, 1, 2, 3]), chance.choice([0, 0, RESPAWNS])
    faults = [_survived(chance, streams) for _ in range(chance.randint(1, 4))]
    losses = chance.randint(0, RESPAWNS) if respawns else 0
    faults += [_at(chance, streams, {"kind": chance.choice(["engine-kill", "engine-hang"])}) for _ in range(losses)]
    ends = chance.random() < 0.5
    if ends:
        faults.append(_at(chance, streams, chance.choice(_fatal(respawns))))
    else:
        faults += [{"kind": "end", "frame": FRAMES - 10}] * chance.randint(0, 1)
    chance.shuffle(faults)
    policy, video = chance.choice([policy.value for policy in Policy]), chance.choice(["delivered", "all", "none"])
    options = ["--streams", str(streams), "--respawn", str(respawns), "--policy", policy, "--video", video]
    options += ["--frames", str(FRAMES + losses * FRAMES_OF_A_LOSS)]
    return Case(faults, options, 1 if ends else 0)


def _survived(chance: random.Random, streams: int) -> Entry:
    return _at(
        chance,
        streams,
        chance.choice(
            [
                {"kind": "stall", "for": f"{chance.randint(50, 500)}ms"},
                {"kind": "burst", "frames": chance.randint(2, 30)},
                {"kind": "jitter", "frames": chance.randint(2, 50), "ms": chance.randint(1, 100)},
                {"kind": "duplicate-pts"},
                {"kind": "backward-pts"},
                {"kind": "corrupt", "frames": chance.randint(1, 20)},
                {"kind": "black", "frames": chance.randint(1, 20)},
                {"kind": "resolution", "size": f"{chance.randint(16, 900)}x{chance.randint(16, 900)}"},
                {"kind": "engine-slow", "ms": chance.randint(1, 500), "frames": chance.randint(1, 3)},
                {"kind": "sink-slow", "ms": chance.randint(1, 500), "frames": chance.randint(1, 3)},
                {"kind": "stop", "for": f"{chance.randint(100, 3000)}ms"},
                {"kind": "hog", "for": "1s", "cores": chance.choice([0.5, 1, 2])},
            ]
        ),
    )


def _fatal(respawns: int) -> list[Entry]:
    found: list[Entry] = [
        {"kind": "engine-raise"},
        {"kind": "sink-fail"},
        {"kind": "disk-full"},
        {"kind": "stall", "for": f"{3 * STALL_S:g}s"},
        {"kind": "sink-slow", "ms": 3000 * STALL_S},
    ]
    return found if respawns else [*found, {"kind": "engine-hang"}]


def _at(chance: random.Random, streams: int, fault: Entry) -> Entry:
    """The fault with its instant, in the first two thirds of the run, and its stream."""
    frame = chance.randint(1, 100)
    when = {"frame": frame} if chance.random() < 0.5 else {"at": f"{max(1, round(frame * 1000 / 60))}ms"}
    return {**fault, **when, "stream": chance.randrange(streams)}


def run(case: Case, folder: Path, out: Path) -> Ended:
    """Runs the case in a process of its own, into ``out``, with its plan in ``folder``."""
    plan = folder / "plan.toml"
    plan.write_text(as_toml(case.faults), encoding="utf-8")
    options = ["--engine", "null,delay_ms=3", "--fps", "60", "--quiet", "--out", str(out)]
    options += ["--stall", f"{STALL_S:g}s", *(["--faults", str(plan)] if case.faults else []), *case.options]
    command = [sys.executable, "-m", "streamer", "replay", str(CLIP), *options]
    begin = time.monotonic()
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=ENDS_WITHIN_S, check=False)
    except subprocess.TimeoutExpired:
        return Ended(None, ENDS_WITHIN_S, "it hangs", ["it was not verified"])
    seconds = time.monotonic() - begin
    if not out.is_dir():
        return Ended(done.returncode, seconds, done.stderr.strip(), ["it wrote nothing"])
    return Ended(done.returncode, seconds, done.stderr.strip(), verify(out).reasons)


def as_toml(faults: Sequence[Entry]) -> str:
    """The plan as TOML, where numbers and strings are written as in JSON."""
    tables = ("".join(f"{key} = {json.dumps(value)}\n" for key, value in fault.items()) for fault in faults)
    return "".join(f"[[fault]]\n{table}\n" for table in tables)


def may_mount(folder: Path) -> bool:
    """Whether a small disk may be mounted here."""
    try:
        with small_disk(folder / "trial"):
            return True
    except (OSError, subprocess.CalledProcessError):
        return False


@contextmanager
def small_disk(place: Path) -> Iterator[Path]:
    """A disk of its own at ``place``. Raises OSError or CalledProcessError where that is not allowed."""
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK}", "streamer-chaos", str(place)]
    subprocess.run(mount, check=True, capture_output=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


if __name__ == "__main__":
    main()
