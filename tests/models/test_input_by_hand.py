"""--input of models import: kept with the entry, shown, recorded by the run, and noted where nothing declares it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from streamer.detection.input_spec import Fit
from streamer.errors import UsageError
from streamer.models.derived import keep
from streamer.models.find import find_model
from streamer.models.importing import import_model
from streamer.models.input_choice import ASSUMED, BY_USER
from streamer.models.input_option import as_option, parse_input
from tests import runs
from tests.runs import Finished
from tests.tiny_models import CELLS, raw, write_ir
from tests.videos import write_video

pytestmark = pytest.mark.extras

BY_HAND = "bgr,range=0..255,mean=1,2,3,stretch"


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store of this test's own."""
    monkeypatch.setenv("STREAMER_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A detector that declares nothing of its input, and sets other thresholds."""
    return write_ir(
        tmp_path / "made.xml", raw(1, 6, CELLS), info={"confidence_threshold": "0.65", "iou_threshold": "0.7"}
    )


Replay = Callable[..., tuple[dict[str, Any], Finished]]


@pytest.fixture
def replay(tmp_path: Path) -> Replay:
    """A short run of a model on the CPU: its run.json, and the finished command."""
    write_video(tmp_path / "clip.mkv", [np.full((48, 64, 3), 90, np.uint8)] * 3)

    def run(model: str | Path, *more: str | Path) -> tuple[dict[str, Any], Finished]:
        fixed = ("--frames", "3", "--warmup", "0", "--video", "none", "--no-chart", "--overwrite", "--out", "run")
        done = runs.streamer("replay", "clip.mkv", "--model", model, *fixed, *more, cwd=tmp_path)
        assert done.code == 0, done.err
        return runs.manifest(tmp_path / "run"), done

    return run


def test_it_is_kept_with_the_entry_and_shown(made: Path, tmp_path: Path) -> None:
    done = runs.streamer("models", "import", made, "--name", "mine", "--input", BY_HAND, cwd=tmp_path)
    assert done.code == 0, done.err
    model = find_model("mine")
    assert as_option(model.input) == BY_HAND
    assert [model.input_by[part] for part in ("colour", "mean", "fit", "pad")] == [BY_USER] * 3 + [ASSUMED]
    listed = json.loads(runs.streamer("models", "list", "--json", cwd=tmp_path).out)
    (mine,) = [row for row in listed if row["name"] == "mine"]
    assert (mine["input"]["colour"], mine["input"]["mean"]) == ("bgr", [1, 2, 3])
    assert mine["input"]["told_by"]["fit"] == BY_USER
    assert (mine["confidence"], mine["iou"]) == (0.65, 0.7)
    table = runs.streamer("models", "list", cwd=tmp_path).out
    (line,) = [line for line in table.splitlines() if "bgr" in line]
    assert [cell.strip() for cell in line.rstrip().split("  ") if cell] == [
        "mine",
        BY_HAND.replace(",", ", "),
        BY_USER,
    ]


@pytest.mark.parametrize("text", ["bgr", "rgb,range=0..1,letterbox,pad=114"])
def test_importing_it_with_another_is_another_model(made: Path, text: str) -> None:
    import_model(made, name="mine")
    with pytest.raises(UsageError, match="there is another model mine already"):
        import_model(made, name="mine", given=parse_input(text))


def test_importing_it_with_the_same_finds_the_entry(made: Path) -> None:
    import_model(made, name="mine", given=parse_input(BY_HAND))
    assert not import_model(made, name="mine", given=parse_input(BY_HAND))[1]
    assert not import_model(made, name="mine")[1]
    assert not import_model(made, name="mine", given=parse_input("stretch"))[1]


def test_a_wrong_one_is_refused_in_one_line(made: Path, tmp_path: Path) -> None:
    done = runs.streamer("models", "import", made, "--input", "bgr,fill", cwd=tmp_path)
    assert done.code == 2
    assert done.error.startswith("--input bgr,fill: fill is not valid: give rgb or bgr; range=A..B")


def test_a_quantized_model_is_not_that_of_a_model_with_another_input(made: Path) -> None:
    plain = import_model(made, name="plain")[0]
    import_model(made, name="by-hand", given=parse_input(BY_HAND))

    def build(scratch: Path) -> None:
        write_ir(scratch / "model.xml", raw(1, 6, CELLS), quantized=True)

    keep("int8", *find_model("plain").quantized_key(), build)
    assert "int8" in find_model("plain").files
    assert "int8" not in find_model("by-hand").files
    assert find_model("plain").quantized_key()[0] == plain.sha256


def test_a_run_records_it_and_notes_what_was_assumed(made: Path, replay: Replay) -> None:
    document, _ = replay(made, "--engine", "ir")
    assert document["model"]["input"] == {
        "colour": "rgb",
        "low": 0.0,
        "high": 1.0,
        "mean": [0.0, 0.0, 0.0],
        "scale": [1.0, 1.0, 1.0],
        "fit": "letterbox",
        "pad": 114,
        "told_by": dict.fromkeys(["colour", "low", "high", "mean", "scale", "fit", "pad"], ASSUMED),
    }
    (assumed,) = [note for note in document["notes"] if "--input" in note]
    assert "(colour, numbers, fit, pad)" in assumed
    assert "as models with its head do as a rule, rgb,range=0..1,letterbox,pad=114; if that is wrong" in assumed
    (thresholds,) = [note for note in document["notes"] if "--conf" in note]
    assert "asks for --conf 0.65 --iou 0.7; this run has --conf 0.25 --iou 0.5" in thresholds
    assert (document["model"]["confidence"], document["model"]["iou"]) == (0.65, 0.7)


def test_a_run_has_no_note_where_the_user_declared_the_input(made: Path, replay: Replay) -> None:
    import_model(made, name="mine", given=parse_input(f"{BY_HAND},pad=0"))
    document, _ = replay("mine", "--engine", "ir", "--conf", "0.65", "--iou", "0.7")
    assert not [note for note in document["notes"] if "--input" in note or "--conf" in note]
    assert set(document["model"]["input"]["told_by"].values()) == {BY_USER}
    assert document["run"]["fit"] == document["model"]["input"]["fit"] == "stretch"


def test_fit_of_a_run_stands_for_the_models_own(made: Path, replay: Replay) -> None:
    import_model(made, name="mine", given=parse_input(BY_HAND))
    document, _ = replay("mine", "--engine", "ir", "--fit", "letterbox-top-left")
    assert document["run"]["fit"] == document["model"]["input"]["fit"] == Fit.LETTERBOX_TOP_LEFT
    assert document["model"]["input"]["told_by"]["fit"] == "--fit"
    (note,) = [note for note in document["notes"] if "--input" in note]
    assert "(pad)" in note  # it has an effect now, and nothing declares it


def test_an_engine_that_gets_no_picture_has_no_note(made: Path, replay: Replay) -> None:
    for engine in ("null", "ir,preprocess=off"):
        document, _ = replay(made, "--engine", engine)
        assert not [note for note in document["notes"] if "--input" in note or "asks for --conf" in note]
