"""A folder is imported by the one model in it, with the names that lie beside that."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from streamer.errors import ModelError
from streamer.models.find import find_model
from streamer.models.folder import find_in
from streamer.models.importing import import_model
from tests import runs
from tests.tiny_models import CELLS, raw, write_ir

pytestmark = pytest.mark.extras

GETI = {
    "task_type": "detection",
    "model_type": "ssd",
    "model_parameters": {"labels": "traffic_light No_Object", "labels_ids": "1 2"},
}


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of this test's own."""
    monkeypatch.setenv("STREAMER_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "models"


def write(path: Path) -> Path:
    """A detector of two classes without names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_ir(path, raw(1, 6, CELLS))


@pytest.mark.parametrize("given", ["", "deployment", "deployment/Detection", "deployment/Detection/model"])
def test_getis_deployment_is_found_from_each_of_its_folders(given: str, tmp_path: Path) -> None:
    top = tmp_path / "geti"
    model = write(top / "deployment" / "Detection" / "model" / "model.xml")
    model.with_name("config.json").write_text(json.dumps(GETI))
    (top / "deployment" / "project.json").write_text("{}")
    (top / "example_code").mkdir()
    (top / "example_code" / "other.xml").write_text("<annotation/>")
    done = runs.streamer("models", "import", top / given, "--name", "mine", cwd=tmp_path)
    assert done.code == 0, done.err
    assert f"it is {model.relative_to(top / given).as_posix()}, names from " in done.out
    assert find_model("mine").names == ("traffic light", "No Object")


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("labels.txt", "a b\nc\n"),
        ("data.yaml", "names: [a b, c]\n"),
        ("metadata.yaml", "names: {0: a b, 1: c}\n"),
        ("config.json", '{"model_parameters": {"labels": "a_b c"}}'),
        ("config.json", '{"model_parameters": {"labels": "x y", "label_info": {"label_names": ["a b", "c"]}}}'),
        ("config.json", json.dumps({"model_parameters": {"label_info": '{"label_names": ["a b", "c"]}'}})),
        ("config.json", '{"id2label": {"0": "a b", "1": "c"}}'),
    ],
)
def test_names_are_found_beside_the_model_in_each_form(file: str, content: str, tmp_path: Path) -> None:
    model = write(tmp_path / "export" / "yard.xml")
    (tmp_path / "export" / file).write_text(content)
    found = find_in(tmp_path / "export")
    entry, _ = import_model(found.path, beside=found.labels)
    assert (found.path, entry.name, entry.names) == (model, "yard", ("a b", "c"))


def test_names_may_lie_above_the_model_but_not_above_the_folder(tmp_path: Path) -> None:
    write(tmp_path / "export" / "FP16" / "yard.xml")
    (tmp_path / "labels.txt").write_text("of\nanother\n")
    assert find_in(tmp_path / "export").labels is None
    (tmp_path / "export" / "labels.txt").write_text("a\nb\n")
    labels = find_in(tmp_path / "export").labels
    assert labels is not None
    assert labels.names == ("a", "b")


def test_the_models_own_names_and_those_given_go_before_what_lies_beside(tmp_path: Path) -> None:
    (tmp_path / "export").mkdir()
    path = write_ir(tmp_path / "export" / "yard.xml", raw(1, 6, CELLS), labels="own other")
    (tmp_path / "export" / "labels.txt").write_text("a\nb\n")
    labels = find_in(path.parent).labels
    assert import_model(path, beside=labels)[0].names == ("own", "other")
    given = tmp_path / "given.txt"
    given.write_text("c\nd\n")
    assert import_model(path, name="named", names_file=given, beside=labels)[0].names == ("c", "d")


def test_names_beside_it_that_do_not_fit_are_refused_by_their_file(tmp_path: Path) -> None:
    path = write(tmp_path / "export" / "yard.xml")
    (path.parent / "labels.txt").write_text("a\nb\nc\n")
    with pytest.raises(ModelError, match=r"puts out 2 classes and labels\.txt beside it names 3: give a name"):
        import_model(path, beside=find_in(path.parent).labels)


def test_a_model_whose_file_is_called_model_is_called_as_its_folder(tmp_path: Path) -> None:
    write(tmp_path / "yard" / "weights" / "best.xml")
    assert find_in(tmp_path / "yard").name == "yard"
    write(tmp_path / "two words" / "model.xml")
    assert find_in(tmp_path / "two words").name is None


def test_several_models_are_an_error_that_names_them(tmp_path: Path) -> None:
    for folder in ("FP16", "FP16-INT8"):
        write(tmp_path / "yard" / folder / "yard.xml")
    with pytest.raises(ModelError, match=r"yard has several models: give one of them, FP16/yard.xml, FP16-INT8/yard"):
        find_in(tmp_path / "yard")
    write(tmp_path / "yard" / "yard.xml")
    found = find_in(tmp_path / "yard")
    assert (found.path, found.others) == (tmp_path / "yard" / "yard.xml", 2)
    assert find_in(tmp_path / "yard" / "FP16").others == 0
    for number in range(9):
        (tmp_path / "yard" / f"{number}.onnx").write_bytes(b"")
    with pytest.raises(ModelError, match=r"0\.onnx, 1\.onnx, .*, 5\.onnx and 4 more"):
        find_in(tmp_path / "yard")


def test_a_folder_without_a_model_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"has no model: give a \.onnx, an OpenVINO \.xml or a \.pt file, or a"):
        find_in(tmp_path)
    (tmp_path / "deployment.zip").write_bytes(b"PK")
    with pytest.raises(ModelError, match=r"deployment\.zip may have one: unpack it"):
        find_in(tmp_path)
    with pytest.raises(ModelError, match="unpack it, and give its folder"):
        import_model(tmp_path / "deployment.zip")


def test_a_folder_elsewhere_than_in_an_import_is_refused_with_the_mend(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"is a folder: give the .*, or let streamer models import find it"):
        find_model(str(tmp_path))
