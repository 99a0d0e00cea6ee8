"""Models are imported into the store by name, checked when they are used, and listed with what was made from them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from streamer.errors import CacheError, ModelError, UsageError
from streamer.models.files import model_sha256
from streamer.models.find import find_model
from streamer.models.importing import import_model, parse_size
from streamer.models.openvino_ir import ensure_ir
from streamer.models.store import ENTRY, read_entry, stored_names
from tests import runs
from tests.runs import Finished, needs_bundled
from tests.tiny_models import CELLS, raw, write_any_size, write_ir

pytestmark = pytest.mark.extras


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of this test's own."""
    monkeypatch.setenv("STREAMER_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "models"


Command = Callable[..., Finished]


@pytest.fixture
def models(tmp_path: Path) -> Command:
    """``streamer models`` in this process."""

    def run(*arguments: str | Path) -> Finished:
        return runs.streamer("models", *arguments, cwd=tmp_path)

    return run


def test_an_imported_model_is_found_by_name_when_its_file_has_gone(tiny_model: Path, tmp_path: Path) -> None:
    for part in (tiny_model, tiny_model.with_suffix(".bin")):
        shutil.copy(part, tmp_path)
    entry, new = import_model(tmp_path / "tiny.xml", name="mine")
    assert new
    direct = find_model(str(tiny_model))
    for name in ("tiny.xml", "tiny.bin"):
        (tmp_path / name).unlink()
    model = find_model("mine")
    for each in ("sha256", "head", "names", "signature", "input", "input_by", "stride", "dynamic"):
        assert getattr(model, each) == getattr(direct, each)
    assert model.name == "mine"
    assert model_sha256(model.files["ir"]) == model.sha256
    assert (entry.origin, entry.pulled, entry.trusted) == ("tiny.xml", False, False)


def test_an_entry_says_in_json_what_it_is(tiny_model: Path, store: Path) -> None:
    import_model(tiny_model)
    about = json.loads((store / "tiny" / ENTRY).read_text())
    assert set(about["files"]) == {"tiny.xml", "tiny.bin"}
    assert about["files"]["tiny.bin"]["bytes"] == tiny_model.with_suffix(".bin").stat().st_size
    assert (about["head"], about["names"]) == ("boxes+classes", ["person", "car"])
    assert about["signature"]["input_size"] == [64, 64]
    assert sorted(entry.name for entry in store.iterdir()) == ["tiny"], "something was left behind"


def test_an_entry_of_an_older_streamer_is_read(tiny_model: Path, store: Path) -> None:
    import_model(tiny_model)
    now, place = find_model("tiny"), store / "tiny" / ENTRY
    older = json.loads(place.read_text())
    del older["signature"], older["input"], older["input_by"]
    place.write_text(json.dumps({**older, "input_size": [64, 64], "output_shape": [1, 6, CELLS]}))
    model = find_model("tiny")
    for part in ("sha256", "head", "names", "input_size", "input", "input_by", "stride", "dynamic"):
        assert getattr(model, part) == getattr(now, part)
    assert [port.shape for port in model.signature.inputs] == [(1, 3, 64, 64)]
    assert [port.shape for port in model.signature.outputs] == [(1, 6, CELLS)]


def test_the_preprocessing_of_an_older_streamers_entry_is_read_from_its_file(store: Path, tmp_path: Path) -> None:
    info = {"mean_values": "123.675 116.28 103.53", "scale_values": "58.395 57.12 57.375"}
    import_model(write_ir(tmp_path / "fed.xml", raw(1, 6, CELLS), info=info))
    now, place = find_model("fed"), store / "fed" / ENTRY
    assert now.input.mean == (123.675, 116.28, 103.53)
    older = json.loads(place.read_text())
    del older["signature"], older["input"], older["input_by"]
    place.write_text(json.dumps({**older, "input_size": [64, 64], "output_shape": [1, 6, CELLS]}))
    assert (find_model("fed").input, find_model("fed").input_by) == (now.input, now.input_by)


def test_the_same_file_again_is_there_already_and_another_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    import_model(tiny_model)
    assert import_model(tiny_model)[1] is False
    other = write_ir(tmp_path / "other.xml", raw(1, 6, CELLS))
    with pytest.raises(UsageError, match="there is another model tiny already: give another --name, or delete"):
        import_model(other, name="tiny")
    (tmp_path / "labels.txt").write_text("cat\ndog\n")
    with pytest.raises(UsageError, match="there is another model tiny already"):
        import_model(tiny_model, names_file=tmp_path / "labels.txt")


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "..", "a b", "ü", "x" * 200])
def test_a_name_that_is_no_name_is_refused(name: str, tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be a model's name"):
        import_model(tiny_model, name=name)
    assert not (tmp_path / "cache").exists()


def test_the_bundled_models_name_is_refused(tiny_model: Path) -> None:
    with pytest.raises(UsageError, match="street is the bundled model: give another --name"):
        import_model(tiny_model, name="street")


@pytest.mark.parametrize("broken", ["tiny.xml", "tiny.bin", ENTRY])
@pytest.mark.parametrize("content", [None, b"", b"{}", b'{"files": {}, "input_size": [1, 1]}'])
def test_a_broken_entry_is_an_error_with_the_mend_and_importing_again_mends_it(
    broken: str, content: bytes | None, tiny_model: Path, store: Path
) -> None:
    import_model(tiny_model)
    (store / "tiny" / broken).unlink()
    if content is not None:
        (store / "tiny" / broken).write_bytes(content)
    with pytest.raises(ModelError, match=r"model tiny in the store is broken.*import or pull it again"):
        find_model("tiny")
    assert import_model(tiny_model)[1] is True
    assert find_model("tiny").sha256 == model_sha256(tiny_model)
    assert [entry.name for entry in store.iterdir()] == ["tiny"], "something was left behind"


def test_an_import_that_was_cut_off_is_no_entry(store: Path) -> None:
    (store / ".importing-abc").mkdir(parents=True)
    assert stored_names() == []


def test_a_model_that_is_refused_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        import_model(write_ir(tmp_path / "obb.xml", raw(1, 6, CELLS), metadata={"task": "obb"}))
    assert not (tmp_path / "cache").exists()


def test_a_model_that_puts_out_nonsense_is_refused(tmp_path: Path) -> None:
    answer = raw(1, 6, CELLS)
    answer[0, 0, 0] = float("nan")
    with pytest.raises(ModelError, match="puts out numbers that are not finite"):
        import_model(write_ir(tmp_path / "nan.xml", answer))


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("labels.txt", "traffic light\n dog \n\n"),
        ("data.yaml", "path: x\nnames: [traffic light, dog]\n"),
        ("metadata.yaml", "names:\n  1: dog\n  0: traffic light\n"),
    ],
)
def test_names_come_from_a_file(file: str, content: str, tmp_path: Path) -> None:
    (tmp_path / file).write_text(content)
    (tmp_path / "m").mkdir()
    path = write_ir(tmp_path / "m" / "m.xml", raw(1, 6, CELLS), labels="a b")
    import_model(path, names_file=tmp_path / file)
    assert find_model("m").names == ("traffic light", "dog")


def test_names_make_an_end_to_end_head_usable(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("cat\ndog\n")
    import_model(write_ir(tmp_path / "v10.xml", raw(1, 300, 6)), names_file=tmp_path / "labels.txt")
    assert find_model("v10").names == ("cat", "dog")


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("labels.txt", "", "labels.txt is empty: give a label a line"),
        ("labels.txt", "cat\n\ndog\n", "is broken by an empty line"),
        ("data.yaml", "train: x\n", "has no list of names"),
        ("data.yaml", "names: {0: cat, 2: dog}\n", "has no list of names"),
        ("data.yaml", "names: [", "has no list of names"),
        ("nosuch.txt", None, "cannot read the names in"),
    ],
)
def test_a_file_without_names_is_a_usage_error(
    file: str, content: str | None, says: str, tiny_model: Path, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / file).write_text(content)
    with pytest.raises(UsageError, match=says):
        import_model(tiny_model, names_file=tmp_path / file)


def test_the_wrong_number_of_names_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("cat\n")
    with pytest.raises(ModelError, match="puts out 2 classes and the names given are 1: give a name per class"):
        import_model(tiny_model, names_file=tmp_path / "labels.txt")


def test_a_model_of_any_size_is_fixed_to_the_one_that_was_requested(tmp_path: Path) -> None:
    path = write_any_size(tmp_path / "any.xml")
    import_model(path, size=(64, 96))
    model = find_model("any")
    assert (model.input_size, model.signature.outputs[0].shape, model.dynamic) == ((64, 96), (1, 6, 126), True)


def test_a_size_that_the_model_does_not_take_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"takes only images of 64x64: leave --imgsz out, or export it again"):
        import_model(tiny_model, size=(480, 640))
    with pytest.raises(ModelError, match="takes no images of 100x64: give an --imgsz of multiples of 32"):
        import_model(write_any_size(tmp_path / "any.xml", {"stride": 32}), size=(64, 100))


@pytest.mark.parametrize(("text", "size"), [("640", (640, 640)), ("480x640", (480, 640)), (" 64X96 ", (64, 96))])
def test_a_size_is_height_by_width(text: str, size: tuple[int, int]) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "0", "640x", "x640", "640x480x3", "-64", "6.5", "99999", "wide"])
def test_a_text_that_is_no_size_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="give height x width in pixels, as in 480x640"):
        parse_size(text)


@needs_bundled
def test_the_list_shows_every_model_with_what_was_made_and_broken_ones_with_the_mend(
    models: Command, tiny_model: Path, store: Path
) -> None:
    import_model(tiny_model)
    import_model(tiny_model, name="broken")
    (store / "broken" / "broken.bin").write_bytes(b"")
    ensure_ir(find_model(None))
    done = models("list")
    assert (done.code, done.err) == (0, "")
    for text in ("street", "bundled", "ir (made)", "tiny", "imported", "broken.bin has changed", str(store)):
        assert text in done.out
    listed: list[dict[str, Any]] = json.loads(models("list", "--json").out)
    rows = {row["name"]: row for row in listed}
    assert list(rows) == ["street", "broken", "tiny"]
    assert (rows["street"]["from"], rows["street"]["made"]) == ("bundled", ["ir"])
    assert {key: rows["tiny"][key] for key in ("from", "head", "classes", "input_size", "formats", "made")} == {
        "from": "imported",
        "head": "boxes+classes",
        "classes": 2,
        "input_size": [64, 64],
        "formats": ["ir"],
        "made": [],
    }
    assert rows["tiny"]["sha256"] == model_sha256(tiny_model)
    assert rows["tiny"]["bytes"] == sum(about["bytes"] for about in read_entry("tiny").files.values())
    assert "is broken" in rows["broken"]["broken"]


def test_import_prints_the_entry_in_a_line(models: Command, tiny_model: Path) -> None:
    done = models("import", tiny_model, "--name", "mine")
    assert done.out.startswith("imported mine: boxes+classes, 2 classes, input 64x64, sha256 ")
    assert models("import", tiny_model, "--name", "mine").out.startswith("already there: mine: ")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["import", "nosuch.onnx"], 2, "no such model: nosuch.onnx; give the path of"),
        (["import", "{tiny}", "--imgsz", "wide"], 2, "--imgsz wide: give height x width"),
        (["import", "{tiny}", "--name", "a/b"], 2, "'a/b' cannot be a model's name"),
        (["export", "{tiny}", "--to", "onnx"], 1, "tiny is an IR, and no ONNX file can be made of that"),
        (["export", "{tiny}", "--to", "tflite"], 2, "'onnx', 'ir'"),
        (["export", "nosuch", "--to", "ir"], 2, "no such model: nosuch; give 'street' or the path of"),
        (["pull", "yolo11"], 2, "no model 'yolo11' to pull: did you mean yolo11"),
        (["pull", "resnet"], 2, "there are yolov5n|s|m|l|x, yolov8n"),
        (["remove"], 2, "No such command 'remove'"),
    ],
)
def test_an_impossible_command_is_one_line_with_the_mend(
    arguments: list[str], code: int, says: str, models: Command, tiny_model: Path
) -> None:
    done = models(*(argument.format(tiny=tiny_model) for argument in arguments))
    assert says in done.error
    assert (done.code, done.out) == (code, "")


@needs_bundled
def test_export_prints_the_ir_and_finds_it_again(models: Command) -> None:
    first, second = models("export", "street", "--to", "ir"), models("export", "street", "--to", "ir")
    path = first.out.rstrip("\n")
    assert Path(path).is_file()
    assert (second.out, second.code) == (f"{path} (already there)\n", 0)


def test_a_store_that_cannot_be_written_is_an_error_that_names_it(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("STREAMER_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(CacheError, match=r"cannot be written.*: set STREAMER_CACHE"):
        import_model(tiny_model)
