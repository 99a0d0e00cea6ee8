"""The precision that is shown is the one in which the model runs, not the runtime's hint."""

from __future__ import annotations

from contextlib import closing

import pytest

from streamer.engines.config import CONVOLUTIONS, PRECISION, float_precision, precision_of
from streamer.engines.registry import open_engine
from streamer.engines.spec_parser import parse_spec
from streamer.models.find import find_model
from tests.runs import needs_bundled


@pytest.mark.parametrize(
    ("hint", "convolutions", "shown", "floats"),
    [
        ("f32", "", "f32", "f32"),
        ("bf16", "63 bf16", "bf16", "bf16"),
        ("dynamic", "63 f32", "f32", "f32"),
        ("dynamic", "60 bf16, 3 f32", "bf16", "bf16"),
        ("dynamic", "75 i8, 1 f32", "i8+f32", "f32"),
        ("undefined", "75 i8, 1 f16", "i8+f16", "f16"),
        ("bf16", "60 f32", "f32", "bf16"),
        ("bf16", "60 i8, 3 bf16", "i8+bf16", "bf16"),
        ("bf16", "60 i8", "i8+bf16", "bf16"),
        ("dynamic", "60 i8", "i8", ""),
        ("dynamic", "", "", ""),
        ("f32", "3 any", "f32", "f32"),
    ],
)
def test_the_precision_of_most_convolutions_is_shown(hint: str, convolutions: str, shown: str, floats: str) -> None:
    effective = {PRECISION: hint, CONVOLUTIONS: convolutions}
    assert precision_of(effective) == shown
    assert float_precision(effective) == floats


@needs_bundled
@pytest.mark.parametrize("spec", ["ir-int8", "ir-auto-shared"])
def test_a_hint_for_accuracy_is_shown_as_the_precision_that_it_leads_to(spec: str) -> None:
    model = find_model("street")
    with closing(open_engine(parse_spec(f"{spec},EXECUTION_MODE_HINT=ACCURACY"), model)) as engine:
        engine.read()
        engine.compile()
        effective = engine.config_in_force
    assert effective[PRECISION] == "dynamic"
    shown = precision_of(effective)
    assert shown.removeprefix("i8+") in ("f32", "f16", "bf16")
    assert shown.startswith("i8+") == (spec == "ir-int8")
