"""A model is all its files: an ONNX file whose weights are beside it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streamer.errors import ModelError, UsageError
from streamer.files import hashing
from streamer.models.external_data import external_data
from streamer.models.files import model_sha256, parts
from streamer.models.find import find_model
from streamer.models.importing import import_model
from streamer.models.openvino_ir import ensure_ir
from streamer.models.protobuf import fields
from streamer.models.store import place_of, read_entry
from tests.onnx_weights import named, take_out_weights
from tests.runs import BUNDLED_MODEL, needs_bundled

BUNDLED_ONNX = BUNDLED_MODEL.with_name("model.onnx")
pytestmark = needs_bundled


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STREAMER_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def retrain(weights: Path) -> None:
    """Changes numbers in the file, in place."""
    changed = bytearray(weights.read_bytes())
    changed[2] ^= 1
    weights.write_bytes(changed)


def set_back(path: Path) -> None:
    """Gives the file its old time, as copying does, once its time of change (ctime) differs."""
    changed = path.stat().st_ctime_ns
    while path.stat().st_ctime_ns == changed:
        os.utime(path, (1_000_000_000, 1_000_000_000))


@pytest.mark.parametrize("location", ["weights.bin", "data/more/w.data"])
def test_the_weights_are_files_of_the_model(location: str, tmp_path: Path) -> None:
    weights = take_out_weights(BUNDLED_ONNX, tmp_path / "mine.onnx", location=location)
    assert external_data(tmp_path / "mine.onnx") == (weights,)
    assert parts(tmp_path / "mine.onnx") == (tmp_path / "mine.onnx", weights)
    assert external_data(BUNDLED_ONNX) == ()


def test_after_retraining_the_hash_is_another_and_the_ir_is_made_anew(tmp_path: Path, cache: Path) -> None:
    weights = take_out_weights(BUNDLED_ONNX, tmp_path / "mine.onnx")
    before = find_model(str(tmp_path / "mine.onnx"))
    old = ensure_ir(before)
    retrain(weights)
    after = find_model(str(tmp_path / "mine.onnx"))
    assert after.sha256 != before.sha256
    new = ensure_ir(after)
    assert new != old
    assert new.with_suffix(".bin").read_bytes() != old.with_suffix(".bin").read_bytes()


def test_weights_that_are_missing_are_named(tmp_path: Path) -> None:
    take_out_weights(BUNDLED_ONNX, tmp_path / "mine.onnx", location="data/w.bin").unlink()
    with pytest.raises(ModelError, match=r"mine\.onnx has no weights: put data/w\.bin beside it"):
        find_model(str(tmp_path / "mine.onnx"))


def test_an_error_names_three_of_many_missing_weights(tmp_path: Path) -> None:
    paths = tuple(tmp_path / name for name in ("w1", "w2", "data/w3", "w4", "w5"))
    weights = take_out_weights(BUNDLED_ONNX, tmp_path / "mine.onnx")
    weights.unlink()
    onnx = tmp_path / "mine.onnx"
    onnx.write_bytes(onnx.read_bytes() + b"".join(named(path.relative_to(tmp_path).as_posix()) for path in paths))
    with pytest.raises(ModelError, match=r"has no weights: put weights\.bin, w1, w2 and 3 more beside it$"):
        find_model(str(onnx))


def test_two_models_share_their_weights(tmp_path: Path, cache: Path) -> None:
    weights = take_out_weights(BUNDLED_ONNX, tmp_path / "a.onnx")
    (tmp_path / "b.onnx").write_bytes((tmp_path / "a.onnx").read_bytes() + named("weights.bin"))
    first, second = model_sha256(tmp_path / "a.onnx"), model_sha256(tmp_path / "b.onnx")
    assert first != second
    import_model(tmp_path / "a.onnx")
    import_model(tmp_path / "b.onnx")
    retrain(weights)
    assert model_sha256(tmp_path / "a.onnx") != first
    assert model_sha256(tmp_path / "b.onnx") != second
    assert (find_model("a").sha256, find_model("b").sha256) == (first, second), "the store has copies of its own"


def test_weights_by_the_name_of_the_stores_own_file_are_refused(tmp_path: Path, cache: Path) -> None:
    take_out_weights(BUNDLED_ONNX, tmp_path / "mine.onnx", location="entry.json")
    with pytest.raises(ModelError, match=r"mine\.onnx has weights in entry\.json, a name that the store needs"):
        import_model(tmp_path / "mine.onnx")


def test_the_hash_of_an_ir_changes_with_its_weights_alone(tmp_path: Path, tiny_model: Path) -> None:
    for part in parts(tiny_model):
        shutil.copyfile(part, tmp_path / part.name)
    before = model_sha256(tmp_path / tiny_model.name)
    retrain(tmp_path / tiny_model.with_suffix(".bin").name)
    assert model_sha256(tmp_path / tiny_model.name) != before
    (tmp_path / tiny_model.with_suffix(".bin").name).unlink()
    with pytest.raises(ModelError, match=r"tiny\.xml has no weights: put tiny\.bin beside it"):
        find_model(str(tmp_path / tiny_model.name))


def test_an_imported_model_has_its_weights_and_runs_when_the_files_have_gone(tmp_path: Path, cache: Path) -> None:
    weights = take_out_weights(BUNDLED_ONNX, tmp_path / "mine.onnx", location="data/w.bin")
    entry, new = import_model(tmp_path / "mine.onnx", name="other")
    assert new
    assert list(entry.files) == ["other.onnx", "data/w.bin"]
    assert import_model(tmp_path / "mine.onnx", name="other") == (entry, False)
    (tmp_path / "mine.onnx").unlink()
    shutil.rmtree(weights.parent)
    model = find_model("other")
    assert model.sha256 == entry.sha256
    assert ensure_ir(model).is_file()
    retrain(place_of("other") / "data/w.bin")
    with pytest.raises(ModelError, match=r"broken, data/w\.bin has changed"):
        read_entry("other")


def test_a_name_that_the_weights_have_is_refused(tmp_path: Path, cache: Path) -> None:
    take_out_weights(BUNDLED_ONNX, tmp_path / "mine.onnx", location="other.onnx")
    with pytest.raises(UsageError, match=r"mine\.onnx has weights in other\.onnx: give another --name"):
        import_model(tmp_path / "mine.onnx", name="other")


@pytest.mark.parametrize("location", ["../weights.bin", "data/../../w.bin"])
def test_weights_outside_its_folder_are_refused(location: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    take_out_weights(BUNDLED_ONNX, tmp_path / "in/mine.onnx", location=location)
    with pytest.raises(ModelError, match=r"mine\.onnx has weights outside its folder"):
        find_model(str(tmp_path / "in/mine.onnx"))


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(noise=st.binary(max_size=300), cut=st.integers(0, 5000))
def test_a_file_that_is_no_onnx_names_no_weights(noise: bytes, cut: int, tmp_path: Path) -> None:
    whole = BUNDLED_ONNX.read_bytes()[:5000]
    for content in (noise, b"location" + noise, whole[:cut] + noise + b"location"):
        (tmp_path / "noise.onnx").write_bytes(content)
        assert external_data(tmp_path / "noise.onnx") == ()


def test_zeros_are_no_model_from_the_first_on(tmp_path: Path) -> None:
    (tmp_path / "zeros.onnx").write_bytes(bytes(1 << 20))
    assert external_data(tmp_path / "zeros.onnx") == ()
    with pytest.raises(ValueError, match="no field 0"):
        next(fields(memoryview(bytes(1 << 20))))


def test_the_hash_of_big_files_is_remembered_until_they_change(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashing, "BIG", 1000)
    monkeypatch.setattr(hashing, "SETTLED_S", -60)
    weights = take_out_weights(BUNDLED_ONNX, tmp_path / "mine.onnx")
    model = tmp_path / "mine.onnx"
    for path in (model, weights):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    first = model_sha256(model)
    assert first == hashing.sha256(model, weights)
    hashed: list[Path] = []
    plain = hashing.sha256

    def counted(*paths: Path) -> str:
        hashed.extend(paths)
        return plain(*paths)

    monkeypatch.setattr(hashing, "sha256", counted)
    assert model_sha256(model) == first
    assert hashed == [], "it was read again"
    retrain(weights)
    set_back(weights)
    assert model_sha256(model) == (written_again := plain(model, weights)) != first
    (tmp_path / "new").write_bytes(weights.read_bytes()[::-1])
    set_back(tmp_path / "new")
    (tmp_path / "new").replace(weights)
    assert model_sha256(model) == (replaced := plain(model, weights)) != written_again
    assert model_sha256(model) == replaced
    (tmp_path / "mine.pt").write_bytes(bytes(2000))
    os.utime(tmp_path / "mine.pt", (1_000_000_000, 1_000_000_000))
    assert model_sha256(tmp_path / "mine.pt") == plain(tmp_path / "mine.pt")
    assert len(list((cache / "hashes").iterdir())) == 1, "that of a .pt, by which it is trusted, is never remembered"
