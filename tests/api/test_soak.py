"""``streamer.soak`` and its twin: the verdict, the end in good order by Ctrl-C or cancelling, and the resumption."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest
from anyio.lowlevel import current_token

import streamer
from streamer import Progress
from streamer.cli.main import group
from streamer.studies.soak.soak_settings import OTHERWISE, SoakOptions, given_soak_settings
from streamer.workers.event_loop import tell_loop
from tests.api.calls import interrupted
from tests.studies.soak.soaks import shortened
from tests.videos import write_video

pytestmark = pytest.mark.slow

REQUEST: dict[str, Any] = {
    **{"engine": "null", "fps": 50, "policy": "wait", "video": "none", "chart": False, "window": 0.25},
    **{"canary": "250ms", "duration": "1s"},
}
"""A soak of a second, in windows of a quarter."""
LONG = {**REQUEST, "duration": "10m"}


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_video(tmp_path / "clip.mp4", 20)


class Once:
    """An observer that does something when so many frames were scheduled, once."""

    def __init__(self, frames: int, what: Callable[[], object]) -> None:
        self._frames = frames
        self._what = what
        self.heard: list[Progress] = []

    def __call__(self, progress: Progress) -> None:
        self.heard.append(progress)
        if progress.done >= self._frames:
            self._frames = 10**9
            self._what()


def document_in(directory: Path) -> Any:
    return json.loads((directory / "soak.json").read_text(encoding="utf-8"))


def test_it_comes_to_what_the_command_writes_and_nothing_is_printed(
    clip: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    heard = Once(10**9, int)
    done = streamer.soak(clip, **REQUEST, out=tmp_path / "soak", observer=heard)
    assert capfd.readouterr() == ("", "")
    assert done.directory == tmp_path / "soak"
    assert done.document == document_in(tmp_path / "soak")
    assert (done.interrupted, done.verdict, done.chart) == (None, done.document["verdict"], None)
    assert done.document["frames"]["delivered"] == 50
    assert done.answer in done._repr_html_()
    assert heard.heard[0].doing == "null: reading, compiling, warming up"
    with (tmp_path / "soak" / "windows.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert done.windows.dtype.names == tuple(rows[0])
    assert done.windows["end_s"].tolist() == [float(row["end_s"]) for row in rows]
    assert done.windows["canary"].tolist() == [row["canary"] for row in rows]
    assert np.isnan(done.windows["canary_changed"]).tolist() == [row["canary_changed"] == "" for row in rows]
    assert done.windows["scheduled"].sum() == 50


def test_ctrl_c_ends_it_in_good_order_and_it_goes_on(clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "soak"
    done = interrupted("soak", clip, {**LONG, "out": str(out)}, "40", cwd=tmp_path)
    assert done["interrupted"] == "SIGINT"
    assert done["document"] == document_in(out)
    assert done["document"]["parts"][0]["verdict"] == "INTERRUPTED"
    shortened(out, 1.0)
    again = streamer.soak(resume=out)
    assert (again.directory, again.interrupted) == (out, None)
    assert [part["verdict"] for part in again.document["parts"]] == ["INTERRUPTED", "VALID"]
    assert again.document["frames"]["scheduled"] == done["document"]["frames"]["scheduled"] + 50
    with pytest.raises(streamer.UsageError, match=rf"^resume {out}: that soak has lasted as long as it was to"):
        streamer.soak(resume=str(out))


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_twin_is_awaited_and_ends_in_good_order_when_it_is_cancelled(
    backend: str, clip: Path, tmp_path: Path
) -> None:
    out = tmp_path / "soak"

    async def main() -> streamer.SoakResult:
        with anyio.CancelScope() as scope:
            loop = current_token()
            cancel = Once(40, lambda: tell_loop(loop, scope.cancel))
            await streamer.aio.soak(clip, **LONG, out=out, observer=cancel)
        assert scope.cancelled_caught
        assert document_in(out)["parts"][0]["verdict"] == "INTERRUPTED"
        shortened(out, 0.3)
        return await streamer.aio.soak(resume=out)

    done = anyio.run(main, backend=backend)
    assert [part["verdict"] for part in done.document["parts"]] == ["INTERRUPTED", "VALID"]


def test_ctrl_c_before_anything_runs_leaves_nothing(clip: Path, tmp_path: Path) -> None:
    done = interrupted("soak", clip, {**LONG, "out": str(tmp_path / "soak")}, "0", cwd=tmp_path)
    assert done == {"raised": "KeyboardInterrupt", "children": []}
    assert not (tmp_path / "soak").exists()


def test_an_error_during_the_soak_is_raised_after_its_verdict(clip: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text('[[fault]]\nkind = "engine-raise"\nframe = 25\n')
    with pytest.raises(streamer.EngineError):
        streamer.soak(clip, **REQUEST, faults=plan, out=tmp_path / "soak")
    assert document_in(tmp_path / "soak")["verdict"] == "failed"


def test_a_successor_takes_the_place_of_an_earlier_soak_at_its_end(clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "soak"
    streamer.soak(clip, **REQUEST, out=out)
    interrupted("soak", clip, {**LONG, "out": str(out), "overwrite": True}, "40", cwd=tmp_path)
    stopped = out / "unfinished-soak"
    assert document_in(out)["asked_s"] == 1
    shortened(stopped, 0.3)
    done = streamer.soak(resume=stopped)
    assert done.directory == out
    assert len(document_in(out)["parts"]) == 2
    assert not stopped.exists()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"source": "clip.mp4"}, "duration: say how long the soak is to last, as in 2h"),
        ({"duration": "1h"}, "soak: give a SOURCE, or resume DIR"),
        ({"source": "clip.mp4", "duration": "1h", "window": "0s"}, "window: '0s' is not a duration"),
        ({"source": "clip.mp4", "duration": "1h", "canary": None}, "canary NoneType: give a number above 0"),
        ({"source": "clip.mp4", "duration": "1h", "fps": "max"}, "fps max: a soak is of a camera"),
        ({"source": "clip.mp4", "duration": "1h", "frames": 5}, "no option is called frames"),
        ({"source": "clip.mp4", "duration": "1h", "windows": 5}, "no option is called windows: did you mean window?"),
        ({"resume": "nowhere"}, "resume nowhere: there is no soak in it"),
        ({"resume": ""}, "resume is empty: give a path"),
        (
            {"resume": "nowhere", "duration": "2h"},
            "duration: a soak goes on as it was begun; leave it out with resume",
        ),
    ],
)
def test_what_makes_no_sense_is_stated_in_the_words_of_the_library(options: dict[str, Any], says: str) -> None:
    with pytest.raises(streamer.UsageError) as refused:
        streamer.soak(**options)
    assert str(refused.value).startswith(says)


def test_it_has_the_options_of_the_command_with_their_defaults_and_no_others() -> None:
    command = group.get_command(None, "soak")  # type: ignore[arg-type]
    assert command is not None
    flags = {option.opts[0].removeprefix("--").replace("-", "_") for option in command.params if option.opts}
    assert SoakOptions.__optional_keys__ == flags - {"sources", "resume", "json", "quiet"}
    settings = given_soak_settings({"duration": "1h"})
    assert {name: getattr(settings.replay, name) for name in OTHERWISE} == OTHERWISE
    assert (settings.window_s, settings.canary_every_s) == (60, 60)
