"""``streamer.verify``: its verdicts, in the fields of the command's document, and what it refuses."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import anyio
import pytest

import streamer
from streamer.api.verify import VerificationDocument
from streamer.rundir.lock import RunLock
from streamer.rundir.paths import BEGUN, MANIFEST
from streamer.workers.stopping import Interrupted, Stop, current_stop
from tests import runs
from tests.documents import wrong
from tests.videos import write_video

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def finished(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of ten frames, and beside it what it would have left if it had been killed at its end."""
    place = tmp_path_factory.mktemp("runs")
    clip = write_video(place / "clip.mp4", 10)
    kept: list[Path] = []

    def observer(progress: streamer.Progress) -> None:
        if (place / "run" / BEGUN).exists() and not kept:
            kept.append(Path(shutil.copy(place / "run" / BEGUN, place / BEGUN)))

    options = {"engine": "null,delay_ms=80", "fps": 10, "warmup": 0, "video": "none"}
    streamer.replay(clip, model=tiny_model, out=place / "run", chart=False, observer=observer, **options)  # type: ignore[arg-type]
    killed = shutil.copytree(place / "run", place / "killed")
    (killed / MANIFEST).unlink()
    shutil.copy(kept[0], killed / BEGUN)
    return place


@pytest.fixture
def place(finished: Path, tmp_path: Path) -> Path:
    """A copy of both."""
    return Path(shutil.copytree(finished, tmp_path / "runs"))


def edit(directory: Path) -> None:
    """Makes the first delivered frame a dropped one."""
    table = directory / "frames.csv"
    table.write_text(table.read_text().replace(",delivered,", ",dropped,", 1))


def cells(found: streamer.Verification) -> list[str]:
    """The first row of its table in a notebook."""
    row = found._repr_html_().split("<tbody>")[1].split("</tr>")[0]
    return [text for text in re.split(r"<[^>]*>", row) if text]


def test_a_run_is_valid_and_nothing_is_printed(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    found = streamer.verify(place / "run")
    assert capfd.readouterr() == ("", "")
    assert (found.verdict, found.valid, found.reasons, found.repaired) == ("VALID", True, [], None)
    assert (found.directory, found.document["checked"]["rows"]) == (place / "run", 10)
    assert found.answer == "VALID: the record is whole, and its figures follow from its rows."
    assert cells(found) == ["rows", "10"]


def test_a_run_that_was_edited_is_invalid_and_the_reasons_are_reported(place: Path) -> None:
    edit(place / "run")
    found = streamer.verify(str(place / "run"))
    assert (found.verdict, found.valid) == ("INVALID", False)
    assert any("frames.csv" in reason for reason in found.reasons)
    assert found.reasons[0] in found._repr_html_()
    assert "INVALID" in repr(found)


def test_what_a_killed_run_has_left_is_reported_and_completed(place: Path) -> None:
    left = streamer.verify(place / "killed")
    assert (left.verdict, left.valid, left.run_verdict) == ("INTERRUPTED", False, None)
    assert left.document["remains"]["rows"] == 10
    assert left.answer == "The run was killed and has no run.json."
    assert "INTERRUPTED" in repr(left)
    assert cells(left) == ["rows", "10"]
    mended = streamer.verify(place / "killed", repair=True)
    assert mended.repaired is not None
    assert mended.repaired["rows"] == 10
    assert mended.verdict == "VALID"
    assert "the record of an interrupted run" in mended.answer
    again = streamer.verify(place / "killed", repair=True)
    assert (again.valid, again.repaired) == (True, None)


@pytest.mark.parametrize("name", ["run", "killed", "edited"])
@pytest.mark.parametrize("repair", [False, True])
def test_the_document_is_that_of_the_command_and_holds_to_its_type(name: str, repair: bool, place: Path) -> None:
    edit(Path(shutil.copytree(place / "run", place / "edited")))
    other = shutil.copytree(place / name, place / "other")
    found = streamer.verify(place / name, repair=repair)
    done = runs.streamer("verify", other, "--json", *(["--repair"] if repair else []), cwd=place)
    assert json.loads(done.out) == found.document
    assert done.code == (0 if found.valid else 3)
    assert wrong(found.document, VerificationDocument) == []


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    for given, says in (("", "run_dir is empty: give a path"), (tmp_path / "none", "no such directory: ")):
        with pytest.raises(streamer.UsageError, match=says):
            streamer.verify(given)
    with pytest.raises(streamer.UsageError, match="nothing is known of a run in it"):
        streamer.verify(tmp_path, repair=True)


def test_a_run_that_is_still_going_on_is_refused(place: Path) -> None:
    lock = RunLock(place / "run")
    try:
        for repair in (False, True):
            with pytest.raises(streamer.UsageError, match="the run is still going on"):
                streamer.verify(place / "run", repair=repair)
    finally:
        lock.release()


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_it_runs_beside_an_event_loop_and_has_an_awaitable_twin(backend: str, place: Path) -> None:
    async def program() -> streamer.Verification:
        assert streamer.verify(place / "run").valid
        return await streamer.aio.verify(place / "run")

    assert anyio.run(program, backend=backend).valid


def test_when_it_is_stopped_it_has_no_result(place: Path) -> None:
    stop = Stop()
    stop.ask("SIGINT")
    before = current_stop.set(stop)
    try:
        with pytest.raises(Interrupted):
            streamer.verify(place / "run")
    finally:
        current_stop.reset(before)
