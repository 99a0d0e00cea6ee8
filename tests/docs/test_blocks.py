"""Every code block of README and docs runs as it is written, or says why it cannot."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from streamer.faults.plan import parse_plan
from tests import runs
from tests.docs.blocks import DOCUMENTS, Block, blocks_of
from tests.runs import ROOT

ELSEWHERE = {
    "docs/howto/containers.md": ("yaml", "ini"),  # tests/docs/test_howto_containers.py
    "docs/howto/library.md": ("python", "text"),  # tests/docs/test_library_docs.py
    "docs/howto/detector.md": ("python", "text"),
}
"""Languages of a document whose blocks another test runs or reads."""
RUN_HERE = ("sh", "console", "python")
VARIES = re.compile("doubt|note|Sustains|Does not sustain|Not known|Nothing was")


def own_blocks(document: Path) -> list[Block]:
    """The blocks that this test is for."""
    others = ELSEWHERE.get(document.relative_to(ROOT).as_posix(), ())
    return [block for block in blocks_of(document) if block.language not in others]


RUN = [document for document in DOCUMENTS if any(not block.not_run for block in own_blocks(document))]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of the street."""
    made = tmp_path_factory.mktemp("clip") / "video.mp4"
    done = runs.streamer("sample", made.name, "--duration", "2s", "--quiet", cwd=made.parent)
    assert done.code == 0, done.err
    return made


@pytest.fixture
def place(tmp_path: Path, clip: Path) -> Path:
    """A directory with the files that the documents assume: ``video.mp4``, ``mine.onnx`` and ``samples``."""
    (tmp_path / "video.mp4").symlink_to(clip)
    (tmp_path / "mine.onnx").symlink_to(ROOT / "models/street/model.onnx")
    (tmp_path / "samples").symlink_to(ROOT / "samples")
    return tmp_path


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("document", RUN, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_blocks_of_a_document_run(
    document: Path, place: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STREAMER_CACHE", str(tmp_path_factory.mktemp("cache")))  # models that they import are theirs
    for block in own_blocks(document):
        if block.not_run:
            continue
        if block.file:
            (place / block.file).write_text(block.text, encoding="utf-8")
            parse_plan(str(place / block.file))
        elif block.language == "python":
            with monkeypatch.context() as here:
                here.chdir(place)
                exec(compile(block.text, block.name, "exec"), {"__name__": "__main__"})
        else:
            run_commands(block, place)


def run_commands(block: Block, place: Path) -> None:
    """Runs the commands of a block. Each ends with exit code 0 and prints what is shown."""
    assert block.language in RUN_HERE, f"{block.name}: a comment has to say why it is not run"
    for command, shown in block.commands():
        assert command[0] == "streamer", f"{block.name}: {command[0]} is not run here, which a comment has to say"
        done = runs.streamer(*command[1:], cwd=place)
        assert done.code == 0, f"{block.name}: {' '.join(command)}\n{done.out}{done.err}"
        if shown:
            assert skeleton(done.out) == skeleton(shown), f"{block.name}: what it shows now is\n{done.out}"


def skeleton(output: str) -> list[str]:
    """The parts that are the same in every run and on every machine: each line up to its first number.

    Doubts, notes and the verdict are left out. Percentiles are alike, and so are precisions.
    """
    lines = [line for line in output.splitlines() if line.strip() and not VARIES.match(line)]
    alike = [re.sub(r"(\bp\d+(\.\d+)?\s*)+", "pN ", re.sub(r"\b(bf16|f16|f32)\b", "", line)) for line in lines]
    return [" ".join(re.split(r"(?<![\w.])\d|─", line)[0].split()) for line in alike]


def test_a_block_that_is_not_run_says_why() -> None:
    blocks = [block for document in DOCUMENTS for block in own_blocks(document)]
    assert len(blocks) > 40
    explained = [block for block in blocks if block.not_run or block.file]
    assert [
        block.name for block in blocks if block not in explained and (block.comment or block.language not in RUN_HERE)
    ] == []


def test_what_varies_is_left_out_and_the_rest_is_not() -> None:
    assert skeleton("latency  1.25 2\ndoubt x") == skeleton("latency   2 ms")
    assert skeleton("latency  1.25") != skeleton("lateness 1.25")
    assert skeleton("files  runs/a/ run.json") != skeleton("files  runs/a/")
