"""Every field of ``run.json`` and every column is changed, one at a time: as it is, and with all hashes put right."""

from __future__ import annotations

import copy
import csv
import hashlib
import io
import json
import re
import shutil
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from streamer.verification import verify
from tests import runs
from tests.runs import ROOT, manifest
from tests.videos import write_video

DOCUMENT = "document_sha256"
RULES = ROOT / "docs" / "reference" / "verify.md"
NEVER_LISTED = (
    *("frames", "objects", "drop_reasons", "latency_ms", "result_latency_ms", "service_ms", "lateness_ms", "age_ms"),
    *("answer", "slo", "slo_checks", "windows"),
    *("run.duration_s", "run.deadline_ms", "streams.*.phase_ms", "run.rounds", "tail.steps", "tail.above_ms"),
)
"""What the rows tell, whatever else is on the list."""
Path_ = tuple[str | int, ...]


def listed() -> list[str]:
    """The fields and columns that the documents list as what rows cannot tell."""
    text = RULES.read_text(encoding="utf-8")
    table = text[text.index("## What the rows cannot tell") :]
    return re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)


def is_listed(name: str, patterns: list[str]) -> bool:
    """It is on the list, or in something that is."""
    return any(fnmatchcase(name, pattern) or fnmatchcase(name, f"{pattern}.*") for pattern in patterns)


def put_right(directory: Path, document: dict[str, Any]) -> dict[str, Any]:
    """The document with the hashes of all files and its own."""
    document = {name: part for name, part in document.items() if name != DOCUMENT}
    for name, entry in document.get("files", {}).items():
        if isinstance(entry, dict) and (directory / name).is_file():
            content = (directory / name).read_bytes()
            entry.update(bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return {**document, DOCUMENT: hashlib.sha256(text.encode()).hexdigest()}


def write(directory: Path, document: dict[str, Any]) -> None:
    (directory / "run.json").write_text(json.dumps(document, indent=2, ensure_ascii=False), encoding="utf-8")


def fields(found: Any, path: Path_ = ()) -> Iterator[Path_]:
    """Every field, whatever holds others before these; of a list its places."""
    if path:
        yield path
    for name in found if isinstance(found, dict) else range(len(found)) if isinstance(found, list) else ():
        yield from fields(found[name], (*path, name))


def another(found: Any) -> Any:
    """What else might stand there."""
    if isinstance(found, bool):
        return not found
    if isinstance(found, int):
        return found + 1
    if isinstance(found, float):
        return found * 1.01 + 0.001
    if isinstance(found, str):
        return f"{found}1"
    if isinstance(found, list):
        return [*found, 1]
    return 1 if found is None else {}


def changed(document: dict[str, Any], path: Path_, value: Any) -> dict[str, Any]:
    """The document with another value at a path; Ellipsis takes the field out."""
    document = copy.deepcopy(document)
    group: Any = document
    for name in path[:-1]:
        group = group[name]
    if value is ...:
        del group[path[-1]]
    else:
        group[path[-1]] = value
    return document


def of_document(document: dict[str, Any], *, without: tuple[str, ...] = ()) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in fields(document):
        if path[0] in without:
            continue
        found: Any = document
        for name in path:
            found = found[name]
        nothing = [] if found is None else [None]
        for value in (another(found), *nothing, *([...] if isinstance(path[-1], str) else [])):
            yield ".".join(map(str, path)), changed(document, path, value)


def of_table(path: Path) -> Iterator[tuple[str, str]]:
    """Each column is changed in one row of each outcome, or in the first row."""
    header, *lines = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))
    outcome = header.index("outcome") if "outcome" in header else None
    chosen: dict[str, int] = {}
    for at, line in enumerate(lines):
        chosen.setdefault("" if outcome is None else line[outcome], at)
    for column, name in enumerate(header):
        for at in chosen.values():
            for cell in other_cells(lines[at][column]):
                edited = [list(line) for line in lines]
                edited[at][column] = cell
                text = io.StringIO()
                csv.writer(text, lineterminator="\n").writerows([header, *edited])
                yield f"{path.name}.{name}", text.getvalue()


def other_cells(cell: str) -> list[str]:
    if re.fullmatch(r"-?\d+", cell):
        return [str(int(cell) + 1)]
    if match := re.fullmatch(r"(-?\d+)\.(\d+)", cell):
        return [f"{int(match[1]) + 1}.{match[2]}", f"{match[1]}.{int(match[2]) ^ 1:0{len(match[2])}d}"]
    return {
        "delivered": ["dropped", "abandoned"],
        "dropped": ["delivered", "abandoned"],
        "queue_full": ["stale", ""],
        "": ["after_damage", "1", "1.000"],
    }.get(cell, [f"{cell}s"])


@pytest.fixture(scope="module")
def run(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two cameras whose engine does not follow, for long enough to have a tail and windows."""
    place = tmp_path_factory.mktemp("mutations")
    write_video(place / "clip.mkv", 60, size=(64, 48))
    done = runs.streamer(
        *("replay", "clip.mkv", "--loop", "--streams", "2", "--engine", "null,delay_ms=25", "--model"),
        *(tiny_model, "--fps", "25", "--duration", "3.2s", "--slo", "latency.p90<500ms,drops<90%", "--video", "none"),
        *("--no-chart", "--out", "run"),
        cwd=place,
    )
    assert done.code == 0, done.err
    assert verify(place / "run").reasons == []
    document = manifest(place / "run")
    assert all((document["tail"], document["windows"]["rate"], document["frames"]["dropped"]))
    return place / "run"


@pytest.mark.slow
def test_no_field_can_be_changed_unseen(run: Path, tmp_path: Path) -> None:
    edited = Path(shutil.copytree(run, tmp_path / "run"))
    mutations = 0
    for name, document in of_document(manifest(run)):
        mutations += 1
        write(edited, document)
        assert verify(edited).reasons, name
    print(f"{mutations} fields changed, all found")
    assert mutations > 500


@pytest.mark.slow
def test_with_its_hashes_put_right_only_what_the_rows_cannot_tell_can_be_changed_unseen(
    run: Path, tmp_path: Path
) -> None:
    edited = Path(shutil.copytree(run, tmp_path / "run"))
    unseen = set()
    for name, document in of_document(manifest(run), without=(DOCUMENT, "files")):  # the hashes themselves
        write(edited, put_right(edited, document))
        if not verify(edited).reasons:
            unseen.add(name)
    assert "\n".join(sorted(name for name in unseen if not is_listed(name, listed()))) == ""


@pytest.mark.slow
@pytest.mark.parametrize("table", ["frames.csv", "detections.csv"])
def test_no_cell_can_be_changed_unseen_and_with_hashes_put_right_only_what_is_listed(
    table: str, run: Path, tmp_path: Path
) -> None:
    edited = Path(shutil.copytree(run, tmp_path / "run"))
    unseen, mutations = set(), 0
    for name, text in of_table(run / table):
        mutations += 1
        (edited / table).write_text(text, encoding="utf-8")
        write(edited, manifest(run))
        assert verify(edited).reasons, name
        write(edited, put_right(edited, manifest(run)))
        if not verify(edited).reasons:
            unseen.add(name)
    print(f"{mutations} cells of {table} changed, all found")
    assert "\n".join(sorted(name for name in unseen if not is_listed(name, listed()))) == ""


def test_what_the_rows_tell_is_not_on_the_list() -> None:
    assert [name for name in NEVER_LISTED if is_listed(name, listed())] == []
