"""Files made from a model are kept whole, under the source's hash, and checked when they are used."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from streamer.models.derived import find_made, keep
from streamer.models.files import model_sha256
from streamer.models.find import find_model
from streamer.models.openvino_ir import ensure_ir
from tests.runs import needs_bundled

SOURCE = "5" * 64


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of this test's own."""
    monkeypatch.setenv("STREAMER_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def write(scratch: Path, content: str = "<net/>") -> None:
    """Builds an IR of a few bytes."""
    (scratch / "model.xml").write_text(content)
    (scratch / "model.bin").write_text("weights")


def test_a_made_model_is_found_with_its_hash_and_its_makers_record(cache: Path) -> None:
    assert find_made("int8", SOURCE, None) is None
    path = keep("int8", SOURCE, None, write, extra={"frames": 300})
    made = find_made("int8", SOURCE, None)
    assert made is not None
    assert (made.path, made.sha256, made.extra) == (path, model_sha256(path), {"frames": 300})
    assert path == cache / "int8" / SOURCE / "model.xml"


def test_a_source_of_any_size_has_a_place_for_each() -> None:
    keep("ir", SOURCE, (480, 640), write)
    assert find_made("ir", SOURCE, (480, 640))
    assert find_made("ir", SOURCE, (640, 480)) is None
    assert find_made("ir", SOURCE, None) is None


@pytest.mark.parametrize("name", ["model.xml", "model.bin", "made.json"])
@pytest.mark.parametrize("content", [None, "", "{}", "[]"])
def test_a_file_that_is_missing_or_differs_counts_as_never_made_and_is_made_again(
    name: str, content: str | None
) -> None:
    path = keep("ir", SOURCE, None, write)
    broken = path.parent / name
    broken.unlink()
    if content is not None:
        broken.write_text(content)
    assert find_made("ir", SOURCE, None) is None
    assert keep("ir", SOURCE, None, write) == path
    assert find_made("ir", SOURCE, None)
    assert [entry.name for entry in path.parents[1].iterdir()] == [SOURCE], "something was left behind"


def test_a_maker_that_fails_leaves_nothing(cache: Path) -> None:
    def fail(scratch: Path) -> None:
        write(scratch)
        raise RuntimeError("no room")

    with pytest.raises(RuntimeError, match="no room"):
        keep("ir", SOURCE, None, fail)
    assert list((cache / "ir").iterdir()) == []


def test_of_two_first_makers_at_once_one_wins_whole() -> None:
    together = Barrier(2)

    def make(content: str) -> Path:
        def build(scratch: Path) -> None:
            write(scratch, content)
            together.wait()

        return keep("ir", SOURCE, None, build)

    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(make, ["<first/>", "<second/>"])
    assert first == second
    assert find_made("ir", SOURCE, None)
    assert [entry.name for entry in first.parents[1].iterdir()] == [SOURCE]


@pytest.mark.parametrize(("replace", "kept"), [(False, "<old/>"), (True, "<new/>")])
def test_the_first_stays_unless_it_is_to_be_replaced(replace: bool, kept: str) -> None:
    keep("int8", SOURCE, None, lambda scratch: write(scratch, "<old/>"))
    path = keep("int8", SOURCE, None, lambda scratch: write(scratch, "<new/>"), replace=replace)
    assert path.read_text() == kept
    assert find_made("int8", SOURCE, None)


@needs_bundled
def test_an_ir_that_was_changed_is_made_again() -> None:
    model = find_model(None)
    path = ensure_ir(model)
    weights = path.with_suffix(".bin")
    whole = weights.read_bytes()
    weights.write_bytes(b"\xff" * 64 + whole[64:])
    assert find_made("ir", *model.key("onnx")) is None
    assert ensure_ir(model) == path
    assert weights.read_bytes() == whole


@needs_bundled
def test_a_quantized_ir_that_was_made_is_among_the_models_files_while_it_is_whole(tiny_model: Path) -> None:
    def copy(scratch: Path) -> None:
        for part in (tiny_model, tiny_model.with_suffix(".bin")):
            (scratch / f"model{part.suffix}").write_bytes(part.read_bytes())

    before = find_model(None)
    path = keep("int8", *before.key(before.kind), copy)
    assert find_model(None).files["int8"] == path
    assert find_model(None).hashes["int8"] == model_sha256(tiny_model)
    path.with_suffix(".bin").unlink()
    assert find_model(None).files == before.files
