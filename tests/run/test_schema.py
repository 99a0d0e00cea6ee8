"""The JSON Schema of run.json: it is made from the types, and real runs conform to it, field by field."""

from __future__ import annotations

import json
from collections.abc import Mapping
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from jsonschema import Draft202012Validator

from streamer.ledger.outages import NO_SIGNAL, Outages, outages_in
from streamer.ledger.record import FrameRecord, Outcome
from streamer.pipeline.housekeeping import Progress
from streamer.pipeline.observer import Silent
from streamer.repair.repair import repair
from streamer.run.finished import Run
from streamer.run.manifest import Manifest
from streamer.run.measured_parts import device_parts
from streamer.run.measurements import DeviceChange
from streamer.run.run import run
from streamer.run.schema import SHIPPED, manifest_schema
from streamer.run.setup_parts import device_changes_part
from streamer.settings.settings import Settings
from streamer.settings.video import Video
from streamer.stats.summary import FIGURES, Tally
from tests import documents
from tests.runs import manifest
from tests.videos import write_video


def wrong(document: object, part: str = "Manifest") -> list[str]:
    """What is wrong with a document, or a part of one, by the closed schema."""
    return documents.wrong(document, Manifest, part)


def test_every_field_has_a_meaning() -> None:
    parts: Mapping[str, Any] = manifest_schema()["$defs"]
    assert [
        f"{name}.{field}"
        for name, part in parts.items()
        for field, schema in part["properties"].items()
        if not schema.get("description", "").strip()
    ] == []


class Stopping(Silent):
    """Stops a run at its first report of progress."""

    def started(self, stop: Any, notes: list[str]) -> None:
        self._stop = stop

    def progress(self, progress: Progress) -> None:
        self._stop("SIGINT")


class Turns:
    """Rounds of ten frames, without a wait."""

    study = "a study"

    def begins(self, frame: int) -> bool:
        return frame % 10 == 0

    def wait(self) -> bool:
        return True


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("clips") / "clip.mp4", 40)


def made_run(settings: Mapping[str, Any], clip: Path, model: Path, out: Path, **beside: Any) -> Run:
    """A run of the null engine with these settings."""
    usual = {
        "engine": "null",
        "model": str(model),
        "fps": Fraction(200),
        "warmup": 0,
        "video": Video.NONE,
        "chart": False,
    }
    return anyio.run(partial(run, [str(clip)], Settings(**{**usual, **settings, "out": out}), **beside))


def test_the_schema_that_is_shipped_is_the_one_of_the_types() -> None:
    shipped = json.loads(SHIPPED.read_text(encoding="utf-8"))
    anew = 'python -c "from streamer.run.schema import write_schema; write_schema()"'
    assert shipped == manifest_schema(), f"the types have changed: {anew}"
    assert json.dumps(shipped) == json.dumps(manifest_schema()), f"the order of fields has changed: {anew}"


def test_it_is_a_schema_of_its_draft() -> None:
    Draft202012Validator.check_schema(manifest_schema())
    assert manifest_schema()["$schema"] == Draft202012Validator.META_SCHEMA["$id"]


def test_every_figure_is_a_field() -> None:
    fields = manifest_schema()["$defs"]["Manifest"]["properties"]
    assert [name for name in fields if name.removesuffix("_ms") in FIGURES] == [f"{name}_ms" for name in FIGURES]


@pytest.mark.parametrize(
    ("settings", "has"),
    [
        ({"loop": True, "frames": 300, "slo": "latency.p50<1s,drops<1%"}, "tail"),
        ({"streams": 3, "video": Video.ALL, "engine": "null,delay_ms=5"}, "streams"),
        ({"fps": "max"}, "verdict"),
        ({"engine": "null,prime=on,delay_ms=1", "fps": Fraction(20), "queue": 1, "frames": 10}, "priming"),
        ({"load": ("cpu=0.1", "mem=1M")}, "load"),
        ({"segment": 0.1, "video": Video.DELIVERED}, "pieces"),
        ({"arrivals": "bursty,pause_ms=50,every_s=0.2", "until": "p50", "loop": True}, "run"),
    ],
    ids=["simple", "streams", "closed loop", "priming", "load", "segments", "bursty"],
)
def test_the_document_of_a_run_conforms_to_it(
    settings: dict[str, Any], has: str, clip: Path, tiny_model: Path, tmp_path: Path
) -> None:
    done = made_run(settings, clip, tiny_model, tmp_path / "run")
    document = manifest(tmp_path / "run")
    assert (document["verdict"], bool(document[has])) == ("VALID", True)
    assert wrong(document) == []
    assert list(document) == list(manifest_schema()["$defs"]["Manifest"]["properties"]), "the order is another one"
    assert json.loads(json.dumps(done.manifest)) == document


def test_so_does_an_interrupted_run_in_rounds(clip: Path, tiny_model: Path, tmp_path: Path) -> None:
    made_run({"loop": True}, clip, tiny_model, tmp_path / "run", observer=Stopping(), rounds=Turns())
    document = manifest(tmp_path / "run")
    assert document["verdict"] == "INTERRUPTED"
    assert document["run"]["rounds"]
    assert wrong(document) == []


@pytest.mark.parametrize(
    ("kind", "respawn", "verdict", "has"),
    [
        ("engine-raise", 0, "FAILED", "error"),
        ("engine-hang", 0, "FAILED", "stalls"),
        ("engine-kill", 1, "VALID", "replacements"),
    ],
)
def test_so_does_a_run_with_faults(
    kind: str, respawn: int, verdict: str, has: str, clip: Path, tiny_model: Path, tmp_path: Path
) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text(f'[[fault]]\nkind = "{kind}"\nframe = 5\n')
    made_run({"faults": str(plan), "respawn": respawn, "stall": 0.5}, clip, tiny_model, tmp_path / "run")
    document = manifest(tmp_path / "run")
    assert (document["verdict"], document["faults"][0]["befallen"]) == (verdict, 1)
    assert document[has]
    assert wrong(document) == []


def test_so_does_a_run_that_was_killed_and_repaired(
    clip: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: dict[str, str] = {}

    def begins(frame: int) -> bool:
        begun.setdefault("text", (tmp_path / "run" / "begun.json").read_text(encoding="utf-8"))
        return False

    turns = Turns()
    monkeypatch.setattr(turns, "begins", begins)
    made_run({}, clip, tiny_model, tmp_path / "run", rounds=turns)
    (tmp_path / "run" / "run.json").unlink()
    (tmp_path / "run" / "begun.json").write_text(begun["text"], encoding="utf-8")
    repaired = repair(tmp_path / "run")
    assert repaired is not None
    assert (repaired["verdict"], repaired["resources"]["cpu_s"]) == ("INTERRUPTED", None)
    assert wrong(manifest(tmp_path / "run")) == []
    assert list(repaired) == list(manifest_schema()["$defs"]["Manifest"]["properties"])


def test_so_do_the_outages_of_a_live_source() -> None:
    outages = Outages(None)
    outage = outages.begin(0, 40_000)
    outage.failed("hung up: check the camera")
    outages.end(outage, 80_000)
    outages.begin(0, 120_000)
    outages.finish(200_000)
    assert wrong(outages.part(), "OutagesPart") == []
    lost = FrameRecord(0, 0, 0, 0, outcome=Outcome.SOURCE_ERROR, reason=NO_SIGNAL)
    found = outages_in([lost], 1, 200_000)
    assert (found["count"], wrong(found, "OutagesPart")) == (1, [])


def test_so_do_the_parts_of_a_run_whose_device_changes() -> None:
    changes = [DeviceChange(2_500_000, ("CPU",), ("GPU.0",))]
    tally = Tally(closed_loop=False)
    tally.split()
    parts = device_parts(changes, tally, 5_000_000)
    assert [wrong(part, "DevicePart") for part in parts] == [[], []]
    assert [wrong(change, "DeviceChangePart") for change in device_changes_part(changes)] == [[]]


def test_a_field_that_is_missing_or_of_another_kind_is_found(clip: Path, tiny_model: Path, tmp_path: Path) -> None:
    document: dict[str, Any] = dict(made_run({"frames": 3}, clip, tiny_model, tmp_path / "run").manifest)
    assert wrong({**document, "verdict": "FINE"})[0].startswith("$.verdict: 'FINE' is not one of ['VALID', ")
    assert wrong({**document, "more": 1}) == ["$: Additional properties are not allowed ('more' was unexpected)"]
    del document["answer"]
    assert wrong(document) == ["$: 'answer' is a required property"]
