"""A .pt is looked at before it is loaded, loaded without running its code where that works, and only when trusted."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from streamer.detection.layouts.yolo import Classes, EndToEnd
from streamer.errors import ModelError, UntrustedModel
from streamer.files.hashing import sha256
from streamer.models.checkpoint import load_checkpoint
from streamer.models.find import find_model
from streamer.models.importing import import_model
from streamer.models.store import read_entry
from tests import runs
from tests.checkpoints import needs_torch, write_checkpoint
from tests.runs import BUNDLED_MODEL, environment, needs_bundled

pytestmark = needs_torch


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of this test's own."""
    monkeypatch.setenv("STREAMER_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A YOLO11n, named like a YOLOv5 of which Ultralytics would fetch a newer one."""
    return write_checkpoint(tmp_path_factory.mktemp("checkpoint") / "yolov5n.pt", "yolo11n")


class Touch:
    """An object whose pickle makes a directory when it is loaded, as foreign code would."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


@pytest.fixture
def with_code(tmp_path: Path) -> tuple[Path, Path]:
    """A checkpoint that makes a directory when it is loaded, and that directory."""
    sign = tmp_path / "code-was-run"
    return write_checkpoint(tmp_path / "code.pt", "yolo11n", extra=Touch(sign)), sign


def test_a_checkpoint_that_nobody_trusts_is_not_loaded(with_code: tuple[Path, Path]) -> None:
    path, sign = with_code
    for attempt in (lambda: find_model(str(path)), lambda: import_model(path)):
        with pytest.raises(
            UntrustedModel, match=r"code\.pt is a pickle and may run code when it is loaded: add --trust"
        ):
            attempt()
    assert not sign.exists()


def test_an_ordinary_checkpoint_is_loaded_without_running_its_code(checkpoint: Path) -> None:
    loaded = load_checkpoint(checkpoint, sha256(checkpoint))
    assert not loaded.unpickled
    model = find_model(str(checkpoint), trust=True)
    assert (model.input_size, model.head, len(model.names), model.stride) == ((64, 64), Classes.name, 80, 32)
    assert [port.shape for port in model.signature.outputs] == [(1, 84, 84)]


def test_code_is_run_only_for_a_trusted_checkpoint_and_that_is_recorded(with_code: tuple[Path, Path]) -> None:
    path, sign = with_code
    entry, _ = import_model(path, trust=True)
    assert sign.is_dir()
    assert entry.unpickled
    assert entry.trusted
    assert read_entry("code") == entry


def test_a_checkpoint_that_was_trusted_once_stays_trusted_by_its_hash(checkpoint: Path, tmp_path: Path) -> None:
    import_model(checkpoint, name="mine", trust=True)
    copy = tmp_path / "copy.pt"
    copy.write_bytes(checkpoint.read_bytes())
    assert find_model(str(copy)).sha256 == find_model("mine").sha256
    with copy.open("ab") as file:
        file.write(b"\0")
    with pytest.raises(UntrustedModel):
        find_model(str(copy))


@needs_bundled
def test_the_bundled_checkpoint_is_trusted_wherever_it_lies(tmp_path: Path) -> None:
    copy = tmp_path / "copy.pt"
    copy.write_bytes((BUNDLED_MODEL.parent / "model.pt").read_bytes())
    assert find_model(str(copy)).head == Classes.name


def test_a_checkpoint_that_has_changed_since_it_was_checked_is_not_loaded(with_code: tuple[Path, Path]) -> None:
    path, sign = with_code
    with pytest.raises(ModelError, match="has changed since it was checked"):
        load_checkpoint(path, "0" * 64)
    assert not sign.exists()


@pytest.mark.parametrize(
    ("architecture", "size"), [("yolo26n", (64, 64)), ("yolov10n", (64, 96))], ids=["yolo26n", "yolov10n"]
)
def test_an_end_to_end_checkpoint_is_run_end_to_end(architecture: str, size: tuple[int, int], tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "e2e.pt", architecture)
    entry, _ = import_model(path, size=size, trust=True)
    cells = sum(size[0] // n * (size[1] // n) for n in (8, 16, 32))
    assert (entry.head, entry.input_size) == (EndToEnd.name, size)
    assert [port.shape for port in entry.signature.outputs] == [(1, min(300, cells), 6)]


@pytest.mark.parametrize(
    ("architecture", "task"),
    [("yolo11n-obb", "obb"), ("yolo11n-cls", "classify")],
)
def test_a_checkpoint_for_another_task_is_refused_with_the_task(architecture: str, task: str, tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "other.pt", architecture, task)
    with pytest.raises(ModelError, match=rf"other\.pt is not a detector but a model for {task}"):
        find_model(str(path), trust=True)


def test_a_size_that_the_stride_does_not_divide_is_refused(checkpoint: Path) -> None:
    with pytest.raises(ModelError, match="takes no images of 100x64: give an --imgsz of multiples of 32"):
        import_model(checkpoint, size=(64, 100), trust=True)


def write_legacy(path: Path) -> None:
    """A checkpoint of the YOLOv5 repository: its classes are in modules that only that has."""
    code = (
        "import sys, types, torch\n"
        "for name in ('models', 'models.yolo'):\n"
        "    sys.modules[name] = types.ModuleType(name)\n"
        "Model = type('Model', (torch.nn.Module,), {'__module__': 'models.yolo'})\n"
        "sys.modules['models.yolo'].Model = Model\n"
        "torch.save({'model': Model()}, sys.argv[1])"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)


def write_torchscript(path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model/constants.pkl", b"")
        archive.writestr("model/data.pkl", b"\x80\x02N.")


def write_weights(path: Path) -> None:
    import torch

    torch.save({"conv.weight": torch.zeros(2, 2)}, path)


def test_what_is_no_checkpoint_of_ultralytics_is_refused_without_being_loaded(
    checkpoint: Path, tmp_path: Path
) -> None:
    path = tmp_path / "other.pt"
    content = checkpoint.read_bytes()
    for write, says in (
        (write_legacy, "is of the YOLOv5 repository, which Ultralytics does not load: export it to ONNX there"),
        (write_torchscript, "is TorchScript: give the .pt it was exported from"),
        (write_weights, "holds no network of Ultralytics'"),
        (
            lambda path: path.write_bytes(content[: len(content) // 2]),
            "is not a whole .pt of PyTorch: fetch it again",
        ),
        (lambda path: path.write_bytes(b""), "is not a whole .pt of PyTorch"),
        (lambda path: path.write_text("hello"), "is not a whole .pt of PyTorch"),
    ):
        path.unlink(missing_ok=True)
        write(path)
        with pytest.raises(ModelError) as refused:
            find_model(str(path))
        assert says in str(refused.value)


def test_without_a_terminal_the_error_names_trust_and_with_it_the_import_succeeds(
    checkpoint: Path, tmp_path: Path
) -> None:
    arguments = ("models", "import", checkpoint, "--name", "mine")
    done = runs.process(*arguments, cwd=tmp_path)
    assert "add --trust if you know who made it" in done.error
    assert (done.code, done.out) == (2, "")
    done = runs.process(*arguments, "--trust", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("imported mine: boxes+classes, 80 classes, input 64x64")


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 2)])
def test_at_a_terminal_the_user_decides(answer: str, code: int, checkpoint: Path, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "streamer", "models", "import", str(checkpoint), "--name", "mine"],
        cwd=tmp_path, env=environment(), stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, text=True,
    )  # fmt: skip
    os.close(theirs)
    question = b""
    while b"Load it?" not in question:
        question += os.read(ours, 1000)
    assert b"may run code when it is loaded" in question
    os.write(ours, f"{answer}\n".encode())
    out, _ = process.communicate()
    os.close(ours)
    assert process.returncode == code
    assert out.startswith("imported mine") == (code == 0)
    assert (tmp_path / "cache" / "models" / "mine").is_dir() == (code == 0)


def test_without_the_names_of_the_network_nothing_is_guessed(tmp_path: Path) -> None:
    from streamer.vendors.ultralytics_quiet import quiet_ultralytics

    with quiet_ultralytics() as ultralytics:
        import torch

        network = ultralytics.YOLO("yolo11n.yaml").model
        network.names = {0: "person"}
        torch.save({"model": network}, tmp_path / "names.pt")
    with pytest.raises(
        ModelError, match=r"puts out 80 classes and its metadata, or the metadata\.yaml beside it, names 1"
    ):
        find_model(str(tmp_path / "names.pt"), trust=True)


def test_the_engine_loads_what_was_checked(checkpoint: Path, tmp_path: Path) -> None:
    from streamer.engines.registry import open_engine
    from streamer.engines.spec_parser import parse_spec

    import_model(checkpoint, name="mine", trust=True)
    model = find_model("mine")
    engine = open_engine(parse_spec("pytorch"), model)
    engine.read()
    engine.compile()
    (answer,) = engine.requests[0].infer()
    assert answer.shape == model.signature.outputs[0].shape
    assert np.isfinite(answer).all()
    engine.close()
    with model.files["pt"].open("ab") as file:
        file.write(b"\0")
    with pytest.raises(ModelError, match="has changed since it was checked"):
        open_engine(parse_spec("pytorch"), model).read()
