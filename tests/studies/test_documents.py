"""compare.json and pace.json agree with their types, field by field, however the study ended."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import streamer
from streamer.studies.compare.document import ComparisonDocument
from streamer.studies.pace.document import PaceDocument
from streamer.workers.stopping import Stop, current_stop
from tests.documents import wrong
from tests.videos import write_video

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pictures = [np.full((48, 64, 3), 250, np.uint8) for _ in range(40)]
    return write_video(tmp_path_factory.mktemp("documents") / "clip.mkv", pictures, rate=Fraction(10))


@pytest.fixture(scope="module")
def usual(tiny_model: Path) -> dict[str, Any]:
    return {"model": tiny_model, "warmup": 0, "chart": False}


def stopped_after(rounds: int, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """The result of a call that is stopped when so many rounds are done."""
    stop = Stop()

    def observer(progress: streamer.Progress) -> None:
        if progress.done >= rounds:
            stop.ask("SIGINT")

    token = current_stop.set(stop)
    try:
        return function(*arguments, observer=observer, **options)
    finally:
        current_stop.reset(token)


def truth() -> dict[str, Any]:
    """Ground truth of the clip: the small model's person, in each picture."""
    box = [10, 8, 16, 16]
    return {
        "images": [{"id": n, "width": 64, "height": 48} for n in range(40)],
        "categories": [{"id": 1, "name": "person"}],
        "annotations": [
            {"id": n, "image_id": n, "category_id": 1, "bbox": box, "area": 256, "iscrowd": 0} for n in range(40)
        ],
    }


def test_a_comparison_with_ground_truth_and_with_one_that_cannot_run(
    clip: Path, usual: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "truth.json"
    path.write_text(json.dumps(truth()))
    options = {**usual, "truth": path, "slo": "drops<50%", "fps": 20, "out": tmp_path / "out"}
    found = streamer.compare(clip, engine=["ir", "ir-gpu", "null"], **options).document
    assert wrong(found, ComparisonDocument) == []
    assert found["truth"] is not None
    assert [row["offline_map50"] is None for row in found["engines"]] == [False, True, True]
    assert [row["frames"] is None for row in found["engines"]] == [False, True, False]


def test_an_interrupted_comparison_and_one_of_its_finished_runs(
    clip: Path, usual: dict[str, Any], tmp_path: Path
) -> None:
    engines = ["null,delay_ms=1", "null,delay_ms=2"]
    options = {**usual, "fps": "max", "loop": True, "duration": "1m", "out": tmp_path / "out"}
    result = stopped_after(4, streamer.compare, clip, engine=engines, **options)
    assert wrong(result.document, ComparisonDocument) == []
    assert result.document["run"]["interrupted"] is True
    runs = [result.directory / row["directory"] for row in result.document["engines"]]
    again = streamer.compare(*runs, out=tmp_path / "again", chart=False)
    assert wrong(again.document, ComparisonDocument) == []
    assert again.document["reference"] is not None


def test_a_study_of_paces_with_objectives_and_with_one_that_cannot_run(
    clip: Path, usual: dict[str, Any], tmp_path: Path
) -> None:
    options = {**usual, "slo": "latency.p50<1s", "duration": 4, "out": tmp_path / "out"}
    found = streamer.pace(clip, fps=[25, "max"], engine=["null,delay_ms=1", "ir-gpu"], **options).document
    assert wrong(found, PaceDocument) == []
    assert found["highest_rate"] == {"null,delay_ms=1": "25", "ir-gpu": None}


def test_an_interrupted_study_of_paces(clip: Path, usual: dict[str, Any], tmp_path: Path) -> None:
    options = {**usual, "duration": 4, "out": tmp_path / "out"}
    found = stopped_after(3, streamer.pace, clip, fps="20,10", engine="null", **options).document
    assert wrong(found, PaceDocument) == []
    assert found["run"]["interrupted"] is True
    assert found["highest_rate"] is None


@pytest.mark.parametrize("kind", [ComparisonDocument, PaceDocument])
def test_a_field_that_is_missing_or_one_too_many_is_found(kind: type) -> None:
    assert len(wrong({}, kind)) == len(kind.__annotations__)
    assert any("another" in one for one in wrong({"another": 1}, kind))
