"""Runs the command, in this process or in one of its own, and reads the files that a run leaves."""

from __future__ import annotations

import csv
import json
import os
import select
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import IO, Any
from unittest.mock import patch

import av
import numpy as np
import pytest

from streamer.cli.main import main
from streamer.vendors import pyav
from tests.verified import runs_verified

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
COCO_MODEL = SHARED / "models" / "yolov5n-coco.onnx"
INT8_MODEL = SHARED / "models" / "yolo11n-int8" / "yolo11n.xml"
FOOTAGE = SHARED / "footage" / "vtest.avi"
BUNDLED_MODEL = ROOT / "models" / "street" / "metadata.json"

needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(), reason="../shared is absent: its models and footage are not here"
)
needs_bundled = pytest.mark.skipif(not BUNDLED_MODEL.is_file(), reason="the bundled model is not trained yet")

OUTCOMES = ("delivered", "dropped", "decode_error", "source_error", "engine_error", "sink_error", "abandoned")


@dataclass(frozen=True, slots=True)
class Finished:
    """The exit code and the output of a command."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one line on standard error; fails when there are more, or none, or a traceback."""
        lines = self.err.splitlines()
        assert len(lines) == 1, f"not one line on standard error:\n{self.err}"
        assert lines[0].startswith("streamer: ")
        return lines[0].removeprefix("streamer: ")


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a process that is to find this streamer, wherever it is started."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **(more or {})}


def streamer(*arguments: str | Path, cwd: Path) -> Finished:
    """``streamer`` with ``arguments``, run to its end in this process, with all output of it and its libraries.

    A command whose worker hangs ends its process by ``os._exit``: this one goes on.
    """

    def end(code: int) -> None:
        raise SystemExit(code)

    command_line = patch.object(sys, "argv", ["streamer", *map(str, arguments)])
    with (
        runs_verified(*_places(arguments, cwd)),
        chdir(cwd),
        command_line,
        patch.object(os, "_exit", end),
        _output() as output,
        pytest.raises(SystemExit) as ended,
    ):
        main()
    code = ended.value.code
    assert isinstance(code, int)
    return Finished(code, *output)


@contextmanager
def _output() -> Iterator[list[str]]:
    """The text on standard output and standard error meanwhile, whoever writes it; filled in at the end."""
    output: list[str] = []
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        with _redirected(1, out), _redirected(2, err):
            yield output
        for file in (out, err):
            file.seek(0)
            output.append(file.read().decode())


@contextmanager
def _redirected(number: int, file: IO[bytes]) -> Iterator[None]:
    """What this process writes to its descriptor 1 or 2 goes into the file; so does what Python writes there."""
    name = {1: "stdout", 2: "stderr"}[number]
    getattr(sys, name).flush()
    kept = os.dup(number)
    os.dup2(file.fileno(), number)
    try:
        with open(number, "w", encoding="utf-8", closefd=False) as stream, patch.object(sys, name, stream):
            yield
    finally:
        os.dup2(kept, number)
        os.close(kept)


def process(*arguments: str | Path, cwd: Path, more: Mapping[str, str] | None = None) -> Finished:
    """``python -m streamer`` with ``arguments``, run to its end."""
    command = [sys.executable, "-m", "streamer", *map(str, arguments)]
    with runs_verified(*_places(arguments, cwd)):
        done = subprocess.run(command, cwd=cwd, env=environment(more), capture_output=True, text=True, check=False)
    return Finished(done.returncode, done.stdout, done.stderr)


def _places(arguments: Sequence[str | Path], cwd: Path) -> list[Path]:
    """Where a command with ``arguments`` leaves runs: in its working directory, or where its --out says."""
    out = [cwd / Path(place) for name, place in pairwise(arguments) if name == "--out"]
    return [place for place in (cwd, *out) if place != ROOT]


def rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file whose every line is whole, sorted by frame."""
    text = path.read_text(encoding="utf-8")
    assert text.endswith("\n"), f"{path.name} ends in a torn line"
    lines = list(csv.DictReader(text.splitlines()))
    assert all(None not in line and None not in line.values() for line in lines), f"{path.name} has torn lines"
    return sorted(lines, key=lambda line: int(line["frame"]))


def manifest(directory: Path) -> dict[str, Any]:
    """The ``run.json`` of a run."""
    document: dict[str, Any] = json.loads((directory / "run.json").read_text(encoding="utf-8"))
    return document


def check_conserved(directory: Path) -> Counter[str]:
    """Every scheduled frame has one row and one outcome, and run.json counts the same; returns the outcomes."""
    ledger = rows(directory / "frames.csv")
    counted = manifest(directory)["frames"]
    assert [int(row["frame"]) for row in ledger] == list(range(len(ledger))), "frames are missing or twice"
    outcomes = Counter(row["outcome"] for row in ledger)
    assert set(outcomes) <= set(OUTCOMES)
    assert {name: counted[name] for name in OUTCOMES} == {name: outcomes[name] for name in OUTCOMES}
    assert counted["scheduled"] == len(ledger) == sum(counted[name] for name in OUTCOMES)
    assert counted["late"] == sum(row["late"] == "1" for row in ledger)
    assert counted["missed"] == sum(row["late"] == "1" or row["outcome"] != "delivered" for row in ledger)
    return outcomes


def video_times(path: Path) -> list[Fraction]:
    """The times of all frames of a video, in seconds since its first; each has been decoded."""
    times, whole = playable_times(path)
    assert whole, f"{path.name} ends in a frame that cannot be decoded"
    return times


def playable_times(path: Path) -> tuple[list[Fraction], bool]:
    """The times of the frames up to the first that cannot be decoded, and whether that is the end of the video."""
    ticks: list[int] = []
    whole = True
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        tick_s = pyav.time_base(stream)
        try:
            ticks.extend(frame.pts for frame in container.decode(stream) if frame.pts is not None)
        except av.InvalidDataError:
            whole = False
    return [(tick - ticks[0]) * tick_s for tick in ticks], whole


def write_tiny_model(path: Path) -> Path:
    """A detector with the head of boxes and classes: two classes, 64x64 pixels, 84 cells; as IR.

    It sees one object of each class, the more certainly the brighter the picture is.
    """
    from streamer.vendors.openvino_quiet import ov

    op = ov.opset13

    answer = np.zeros((1, 6, 84), np.float32)
    answer[0, :, 10] = 20, 20, 16, 16, 0.9, 0
    answer[0, :, 40] = 44, 40, 20, 24, 0, 0.9
    boxes, scores = op.constant(answer[:, :4]), op.constant(answer[:, 4:])
    image = op.parameter([1, 3, 64, 64], np.float32, "images")
    brightness = op.reduce_mean(image, op.constant(np.array([1, 2, 3])), keep_dims=False)
    scaled = op.multiply(scores, op.reshape(brightness, op.constant(np.array([1, 1, 1])), special_zero=False))
    model = ov.Model([op.concat([boxes, scaled], 1)], [image], "tiny")
    model.set_rt_info("person car", ["model_info", "labels"])
    ov.save_model(model, path, compress_to_fp16=False)
    return path


Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Found:
    """One detected object, as tests compare them; ``box`` is left, top, right, bottom."""

    class_id: int
    confidence: float
    box: Box


def overlap(a: Box, b: Box) -> float:
    """Intersection over union."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


def unmatched(these: Sequence[Found], those: Sequence[Found], *, iou: float, confidence: float) -> tuple[int, int]:
    """How many of ``these`` over ``confidence`` have no partner among ``those``, and how many there are.

    A partner has the same class and an overlap over ``iou``; each serves one, the most confident first.
    """
    free = list(those)
    counted = sorted((one for one in these if one.confidence > confidence), key=lambda one: -one.confidence)
    alone = 0
    for one in counted:
        partners = [other for other in free if other.class_id == one.class_id and overlap(one.box, other.box) > iou]
        if partners:
            free.remove(max(partners, key=lambda other: overlap(one.box, other.box)))
        else:
            alone += 1
    return alone, len(counted)


def agreement(
    these: Sequence[Sequence[Found]], those: Sequence[Sequence[Found]], *, iou: float, confidence: float = 0.4
) -> tuple[float, float, int]:
    """Over frames: the shares of these and of those that have a partner, and the number of both."""
    there = [unmatched(a, b, iou=iou, confidence=confidence) for a, b in zip(these, those, strict=True)]
    back = [unmatched(b, a, iou=iou, confidence=confidence) for a, b in zip(these, those, strict=True)]
    shares = []
    for counts in (there, back):
        alone, counted = sum(n for n, _ in counts), sum(n for _, n in counts)
        shares.append(1 - alone / counted if counted else 1.0)
    return shares[0], shares[1], sum(n for _, n in (*there, *back))


def read_until(terminal: int, what: bytes | None) -> bytes:
    """What a terminal shows, up to ``what`` or, for None, until nobody writes to it any more."""
    shown = b""
    while what is None or what not in shown:
        ready, _, _ = select.select([terminal], [], [], 60)
        assert ready, f"nothing more came after {shown!r}"
        try:
            chunk = os.read(terminal, 65536)
        except OSError:  # Linux says so when the other side is closed
            break
        if not chunk:
            break
        shown += chunk
    return shown
