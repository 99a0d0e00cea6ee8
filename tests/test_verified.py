"""A run whose own verdict is not that of ``verify`` is reported, whoever made it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

import streamer
from streamer.pipeline.observer import Silent
from streamer.run.run import run as replay
from streamer.settings.settings import Settings
from tests.verified import differences, runs_verified
from tests.videos import write_video


@pytest.fixture
def run(tiny_model: Path, tmp_path: Path) -> Path:
    """A run of ten frames."""
    clip = write_video(tmp_path / "clip.mp4", 10)
    settings = Settings(engine="null", model=str(tiny_model), fps=200, out=tmp_path / "run", chart=False)
    return streamer.replay(clip, settings).directory


def test_one_that_another_process_leaves_is_verified(run: Path, tmp_path: Path) -> None:
    assert differences() == []
    with runs_verified(tmp_path):
        copy = tmp_path / "copy"
        run.rename(copy)
        (copy / "frames.csv").write_text((copy / "frames.csv").read_text().replace(",delivered,", ",dropped,"))
        (copy / "run.json").write_text((copy / "run.json").read_text())
    (difference,) = differences()
    assert difference.startswith(f"{copy}: of a run with VALID, verify says [")


class Meddler(Silent):
    """Writes a row of its own into the ledger before the first frame."""

    def __init__(self, directory: Path) -> None:
        self._table = directory / "frames.csv"

    def started(self, stop: Callable[[str], None], notes: list[str]) -> None:
        with self._table.open("a") as file:
            file.write("one too many\n")


def test_one_of_this_process_is_verified_when_it_is_finished(run: Path, tiny_model: Path, tmp_path: Path) -> None:
    settings = Settings(engine="null", model=str(tiny_model), fps=200, out=tmp_path / "other", chart=False)
    anyio.run(replay, [str(tmp_path / "clip.mp4")], settings, Meddler(tmp_path / "other"))
    (difference,) = differences()
    assert difference.startswith(f"{tmp_path / 'other'}: of a run with VALID, verify says [")


def test_one_that_was_there_before_is_not_looked_at_again(run: Path, tmp_path: Path) -> None:
    (run / "frames.csv").write_text("edited\n")
    with runs_verified(tmp_path):
        pass
    assert differences() == []
