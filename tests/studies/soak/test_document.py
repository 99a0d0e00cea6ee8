"""soak.json agrees with its types, field by field."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import anyio
import pytest

from streamer.run.run import run
from streamer.settings.settings import Settings
from streamer.studies.soak.document import SoakDocument
from streamer.studies.soak.soak_settings import SoakSettings
from streamer.studies.soak.study import Soak, resumed
from streamer.studies.soak.verdicts import assess
from tests import documents
from tests.studies.soak.soaks import manifest_of, shortened
from tests.studies.soak.test_study import Stops
from tests.studies.soak.test_verdicts import hour
from tests.videos import write_video


def wrong(document: object, part: str = "") -> list[str]:
    """What is wrong with a document, or a part of one: also a field that is missing, or one more."""
    return documents.wrong(document, SoakDocument, part)


def soak_in(place: Path, **more: Any) -> Soak:
    """A soak of the null engine."""
    usual = {"engine": "null", "fps": 100, "duration": 1.2, "video": "none", "chart": False, "policy": "wait"}
    clip = write_video(place / "clip.mp4", 20)
    return Soak([str(clip)], SoakSettings(Settings(**{**usual, **more}), 0.2, 0.2), place / "soak")


def run_part(soak: Soak, stopped_after: int | None = None) -> None:
    settings, watch = soak.part(lambda row: None)
    anyio.run(run, soak.sources, settings, None if stopped_after is None else Stops(stopped_after), None, watch)


def document_of(soak: Soak) -> dict[str, Any]:
    """As it is written."""
    found: dict[str, Any] = json.loads(json.dumps(soak.document()))
    return found


def test_what_a_soak_writes_agrees_also_with_parts_that_were_stopped_or_killed(tmp_path: Path) -> None:
    soak = soak_in(tmp_path, duration="10m", slo="latency.p50<1s,drops<1%,age.p90<1s", load=("cpu=0.1",))
    run_part(soak, stopped_after=30)
    document = document_of(soak)
    assert document["parts"][0]["verdict"] == "INTERRUPTED"
    assert wrong(document) == []
    shortened(soak.out, 0.5)
    run_part(again := resumed(soak.out, []))
    (soak.out / "part-0" / "run.json").unlink()
    document = document_of(again)
    assert [part["verdict"] for part in document["parts"]] == ["KILLED", "VALID"]
    assert wrong(document) == []
    assert list(document) == list(SoakDocument.__annotations__), "the order is another one"


def test_so_does_one_with_faults_that_failed(tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text('[[fault]]\nkind = "engine-raise"\nframe = 25\n')
    run_part(soak := soak_in(tmp_path, faults=str(plan)))
    document = document_of(soak)
    assert (document["verdict"], document["parts"][0]["verdict"]) == ("failed", "FAILED")
    assert wrong(document) == []


def test_so_do_the_verdicts_on_an_hour() -> None:
    verdicts = [one.as_dict() for one in assess(hour(), [manifest_of(hour())], 3600).verdicts]
    parts = {"end": "EndPart", "drift": "DriftPart", "losses": "LossesPart", "canary": "CanaryPart"}
    assert any(one["name"] == "drift" and one["figures"]["p95"] for one in verdicts)
    assert any(one["name"] == "memory" and one["figures"]["parts"] for one in verdicts)
    for one in verdicts:
        assert wrong(json.loads(json.dumps(one)), parts.get(one["name"], "LeakPart")) == []


@pytest.mark.parametrize("verdict", range(3))
def test_a_field_that_is_missing_or_is_too_much_is_found(verdict: int, tmp_path: Path) -> None:
    run_part(soak := soak_in(tmp_path, duration=0.3))
    document = document_of(soak)
    assert wrong(document) == []
    assert wrong({**document, "more": 1}) == ["$: Additional properties are not allowed ('more' was unexpected)"]
    changed = deepcopy(document)
    changed["verdicts"][verdict]["figures"]["more"] = 1
    assert len(wrong(changed)) == 1
    changed = deepcopy(document)
    del changed["verdicts"][verdict]["why"]
    assert len(wrong(changed)) == 1
    del document["parts"][0]["gaps"]
    assert len(wrong(document)) == 1
