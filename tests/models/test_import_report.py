"""The advice of an import about the preprocessings that it tried."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from streamer.cli.models.import_report import print_suits
from streamer.detection.input_spec import Colour, InputSpec
from streamer.models.importing import import_model
from streamer.models.store import Entry
from streamer.studies.import_trial import Suits, Trial
from tests.tiny_models import CELLS, raw, write_ir

pytestmark = pytest.mark.extras

OWN = InputSpec()
OTHER = replace(OWN, colour=Colour.BGR)
AS_TEXT = "bgr,range=0..1,letterbox,pad=114"
SOUND = Trial(2, 3, [], [])


@pytest.fixture
def entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Entry:
    monkeypatch.setenv("STREAMER_CACHE", str(tmp_path / "cache"))
    return import_model(write_ir(tmp_path / "yard.xml", raw(1, 6, CELLS)))[0]


@pytest.mark.parametrize(
    ("other", "own", "advice"),
    [
        (
            (9, 8.1),
            (3, 2.4),
            f"most is found with --input '{AS_TEXT}': look at its boxes, and ",
        ),
        (
            (9, 8.1),
            (0, 0.0),
            f"most is found with --input '{AS_TEXT}': look at its boxes, and ",
        ),
        ((9, 5.4), (3, 2.4), "none of the usual ones finds clearly more, as surely, than its own"),
        ((4, 3.5), (4, 3.4), "none of the usual ones finds clearly more, as surely, than its own"),
    ],
)
def test_another_is_advised_where_it_finds_clearly_more_and_as_surely(
    other: tuple[int, float], own: tuple[int, float], advice: str, entry: Entry, capsys: pytest.CaptureFixture[str]
) -> None:
    print_suits([Suits(OTHER, *other), Suits(OWN, *own)], entry, SOUND)
    out = capsys.readouterr().out
    assert advice in out
    assert f"{own[0]:7}  " in out, "its own is not shown"
    assert "(as imported)" in out


def test_nothing_is_advised_where_nothing_is_found(entry: Entry, capsys: pytest.CaptureFixture[str]) -> None:
    print_suits([Suits(OWN, 0, 0.0), Suits(OTHER, 0, 0.0)], entry, SOUND)
    assert "found with" not in capsys.readouterr().out


FLOODED = Suits(OTHER, 600, 580.0, flooded=True)


def test_a_preprocessing_with_as_many_objects_as_are_kept_is_never_advised(
    entry: Entry, capsys: pytest.CaptureFixture[str]
) -> None:
    print_suits([Suits(OWN, 6, 4.2), FLOODED], entry, SOUND)
    out = capsys.readouterr().out
    assert "pad=114  (as many as are kept, so they are none)" in out
    assert "none of the usual ones finds clearly more" in out
    print_suits([Suits(OTHER, 6, 4.2), Suits(OWN, 600, 580.0, flooded=True)], entry, SOUND)
    assert "most is found with --input 'bgr," in capsys.readouterr().out, "its own may be what is wrong"
    print_suits([FLOODED], entry, SOUND)
    assert "most is found" not in capsys.readouterr().out


def test_nothing_is_advised_for_a_model_that_looks_damaged(entry: Entry, capsys: pytest.CaptureFixture[str]) -> None:
    print_suits([Suits(OTHER, 9, 8.1), Suits(OWN, 3, 2.4)], entry, replace(SOUND, signs=["its scores are none"]))
    assert "found with" not in capsys.readouterr().out
