"""``streamer.open_run``: a finished directory gives what the call returned, and what is none is refused in a line."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import streamer
from streamer import UsageError
from streamer.rundir.lock import RunLock
from tests.videos import write_video

pytestmark = pytest.mark.slow

REQUEST: dict[str, Any] = {"engine": "null", "fps": 100, "video": "none"}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("clips") / "clip.mp4", 20)


@pytest.fixture(scope="module")
def finished(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> streamer.Run:
    return streamer.replay(clip, **REQUEST, loop=True, frames=60, out=tmp_path_factory.mktemp("finished") / "run")


@pytest.fixture
def copy(finished: streamer.Run, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished.directory, tmp_path / "copy"))


def edit(document: Path, **changes: Any) -> None:
    """Changes fields of a document; one that is to be None goes."""
    found = {**json.loads(document.read_text()), **changes}
    document.write_text(json.dumps({name: value for name, value in found.items() if value is not None}))


def test_a_run_is_what_the_call_returned(finished: streamer.Run) -> None:
    opened = streamer.open_run(finished.directory)
    assert opened == finished
    assert isinstance(opened, streamer.Run)
    assert opened.figures["latency"]["p50"] == finished.figures["latency"]["p50"] is not None
    assert (opened.failure, opened.interrupted, opened.chart) == (None, None, finished.chart)
    assert np.array_equal(opened.frames["frame"], range(60))
    assert opened._repr_html_() == finished._repr_html_()


@pytest.mark.parametrize(
    ("study", "options"),
    [
        ("compare", {"engine": ["null", "null"], "fps": 20, "frames": 40, "warmup": 0}),
        ("pace", {"engine": "null", "fps": [20, "max"], "duration": 4, "warmup": 0}),
        ("bench", {"engine": "null", "number": 20}),
    ],
)
def test_a_study_is_what_the_call_returned(
    study: str, options: dict[str, Any], clip: Path, tiny_model: Path, tmp_path: Path
) -> None:
    sources = [] if study == "bench" else [clip]
    chart = {} if study == "bench" else {"chart": False, "loop": True} if study == "compare" else {"chart": False}
    done = getattr(streamer, study)(*sources, **options, **chart, model=tiny_model, out=tmp_path / "out")
    opened = streamer.open_run(tmp_path / "out")
    assert (opened, opened._repr_html_()) == (done, done._repr_html_())
    edit(tmp_path / "out" / f"{study}.json", run={**done.document["run"], "interrupted": True})
    assert streamer.open_run(tmp_path / "out").interrupted == "a signal"
    edit(tmp_path / "out" / f"{study}.json", run=None)
    refused(tmp_path / "out", f"{study}.json cannot be understood")


def test_one_that_failed_has_its_error(clip: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text('[[fault]]\nkind = "engine-raise"\nframe = 9\n')
    with pytest.raises(streamer.EngineError) as raised:
        streamer.replay(clip, **REQUEST, faults=plan, out=tmp_path / "failed")
    opened = streamer.open_run(tmp_path / "failed")
    assert isinstance(opened, streamer.Run)
    assert opened.manifest["verdict"] == "FAILED"
    assert str(opened.failure) == str(raised.value)


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"stopped_by": "SIGTERM"}, "SIGTERM"),
        ({"schema_version": 1, "stopped_by": None, "document_sha256": None}, "a signal"),
        ({"schema_version": 1, "stopped_by": None, "repaired": {"rows": 3}}, "a kill"),
    ],
)
def test_the_cause_of_an_interruption_is_that_of_the_document(
    changes: dict[str, Any], cause: str, copy: Path
) -> None:
    edit(copy / "run.json", verdict="INTERRUPTED", **changes)
    assert streamer.open_run(copy).interrupted == cause


def test_an_older_run_has_the_figures_that_there_were(copy: Path) -> None:
    edit(copy / "run.json", schema_version=1, preprocess_start_ms=None, objects=None, drop_reasons=None)
    opened = streamer.open_run(str(copy))
    assert isinstance(opened, streamer.Run)
    assert "preprocess_start" not in opened.figures
    assert opened.figures["service"]["p50"] is not None


def test_a_soak_is_what_the_call_returned_and_goes_on_from_it(clip: Path, tmp_path: Path) -> None:
    done = streamer.soak(clip, **REQUEST, duration=0.4, window=0.1, chart=False, out=tmp_path / "soak")
    opened = streamer.open_run(tmp_path / "soak")
    assert isinstance(opened, streamer.SoakResult)
    assert opened == done
    assert opened.windows["end_s"].tolist() == done.windows["end_s"].tolist() != []
    part = tmp_path / "soak" / "part-0"
    assert isinstance(streamer.open_run(part), streamer.Run)
    edit(part / "run.json", verdict="INTERRUPTED", stopped_by="SIGHUP")
    assert streamer.open_run(tmp_path / "soak").interrupted == "SIGHUP"
    shutil.copytree(part, tmp_path / "soak" / "part-1")
    refused(
        tmp_path / "soak", f"part-1 was killed, and the soak's verdicts are without it; go on with {resume(tmp_path)}"
    )
    (tmp_path / "soak" / "soak.json").unlink()
    refused(tmp_path / "soak", f"that soak has no verdict yet; go on with {resume(tmp_path)}")
    with_lock(part, lambda: refused(tmp_path / "soak", "it is still going on; wait for its end"))


def resume(place: Path) -> str:
    return f"streamer.soak(resume='{place / 'soak'}')"


def with_lock(run: Path, look: Callable[[], None]) -> None:
    """Looks while a run is being written there."""
    lock = RunLock(run)
    try:
        look()
    finally:
        lock.release()


def refused(path: Path, says: str) -> None:
    """It is no directory to be opened, and one line says so."""
    with pytest.raises(UsageError) as error:
        streamer.open_run(path)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_a_run_under_way_is_refused_and_so_is_one_that_was_killed(copy: Path) -> None:
    (copy / "run.json").rename(copy / "begun.json")
    with_lock(copy, lambda: refused(copy, "it is still going on; wait for its end, or end it as with Ctrl-C"))
    refused(copy, f"that run was killed; make its record with streamer.verify('{copy}', repair=True)")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "run.json is no JSON document (Expecting"),
        ("[" * 100_000, "run.json is no JSON document"),
        ("[]", "run.json is no document of streamer's: give a directory that streamer has written"),
        ('{"schema_version": 99}', "run.json is of a newer streamer (schema_version 99, here 2): pip install"),
        (
            '{"schema_version": 2}',
            "run.json cannot be understood (KeyError('verdict')): look at it with streamer verify",
        ),
        ('{"schema_version": 2, "latency_ms": 5}', "run.json cannot be understood (TypeError("),
    ],
)
def test_a_document_that_cannot_be_used_is_refused_in_a_line(text: str, says: str, copy: Path) -> None:
    (copy / "run.json").write_text(text)
    refused(copy, says)


def test_what_is_nothing_of_the_kind_is_refused_in_a_line(copy: Path, tmp_path: Path) -> None:
    refused(tmp_path / "none", f"no such directory: {tmp_path / 'none'}")
    refused(copy / "run.json", f"run.json is no directory: give the one in which it is, as in {copy}")
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", "it is empty; give the directory of a run, as in runs/demo")
    refused(
        copy.parent,
        "there is none of run.json, compare.json, pace.json, bench.json, soak.json in it; give the directory",
    )
    (tmp_path / "empty" / "parity.csv").touch()
    refused(tmp_path / "empty", "a parity is a table and no more; read its parity.csv")
    with pytest.raises(UsageError, match="directory is empty: give a path"):
        streamer.open_run("")


@pytest.mark.parametrize("damage", [b"\xff\0" * 50, None, b"stream,frame\n0,0\n"], ids=["binary", "gone", "cut"])
def test_a_ledger_that_cannot_be_read_is_refused_in_a_line(
    damage: bytes | None, finished: streamer.Run, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(finished.directory, copy)
    (copy / "frames.csv").unlink()
    if damage is not None:
        (copy / "frames.csv").write_bytes(damage)
    opened = streamer.open_run(copy)
    assert isinstance(opened, streamer.Run)
    with pytest.raises(streamer.UsageError, match=r"frames\.csv cannot be read: .*; look at it with streamer verify"):
        _ = opened.ledger
