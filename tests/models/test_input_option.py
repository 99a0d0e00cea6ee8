"""The text of --input: what it declares, what it refuses, and that what is shown can be given."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.detection.input_spec import Colour, Fit, InputSpec
from streamer.errors import UsageError
from streamer.models.input_choice import BY_USER, all_declared
from streamer.models.input_option import PADDED, as_option, parse_input

ZERO, ONE = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("bgr", {"colour": Colour.BGR}),
        ("stretch", {"fit": Fit.STRETCH}),
        (" RGB , letterbox-top-left ", {"colour": Colour.RGB, "fit": Fit.LETTERBOX_TOP_LEFT}),
        ("pad=0,crop", {"fit": Fit.CROP, "pad": 0}),
        ("range=-1..1", {"low": -1.0, "high": 1.0, "mean": ZERO, "scale": ONE}),
        ("scale=255,range=0..255", {"low": 0.0, "high": 255.0, "mean": ZERO, "scale": (255.0, 255.0, 255.0)}),
        (
            "bgr,mean=103.53,116.28,123.675,scale=57.375,57.12,58.395,range=0..255,stretch,pad=114",
            {
                "colour": Colour.BGR,
                "low": 0.0,
                "high": 255.0,
                "mean": (103.53, 116.28, 123.675),
                "scale": (57.375, 57.12, 58.395),
                "fit": Fit.STRETCH,
                "pad": 114,
            },
        ),
    ],
)
def test_it_declares_what_it_names_and_leaves_the_rest_open(text: str, parts: dict[str, Any]) -> None:
    assert parse_input(text) == {name: (value, BY_USER) for name, value in parts.items()}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "nothing between two commas is not valid: give rgb or bgr"),
        ("rgb,,crop", "nothing between two commas"),
        ("grb", "grb is not valid"),
        ("rgb=1", "rgb=1 is not valid"),
        ("rgb,bgr", "bgr is the second colour"),
        ("crop,stretch", "stretch is the second fit"),
        ("pad=256", "pad=256 is not valid"),
        ("pad=1.5", "pad=1.5 is not valid"),
        ("12,pad=3", "12 is not valid"),
        ("mean=1,2,range=0..255", "mean takes one number, or three"),
        ("mean=red,range=0..255", "mean takes one number, or three"),
        ("mean=1e999,range=0..255", "mean takes one number, or three"),
        ("range=0..255,scale=58,0,57", "cannot be 0"),
        ("range=255", "range takes two numbers"),
        ("range=1..1", "range takes two numbers"),
        ("range", "range is not valid"),
        ("mean=127.5,scale=127.5", "mean and scale need a range: give range=0..255"),
        ("range=0..1,range=0..255", "range is the second low"),
    ],
)
def test_it_refuses_in_one_line_what_it_does_not_know(text: str, reason: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_input(text)
    assert reason in str(refused.value)
    assert str(refused.value).startswith(f"--input {text}: ")
    assert "\n" not in str(refused.value)


numbers = st.floats(-1000, 1000, allow_nan=False).map(lambda number: float(f"{number:.6g}") + 0.0)
colours = st.tuples(numbers, numbers, numbers)


@given(
    st.builds(
        InputSpec,
        colour=st.sampled_from(Colour),
        low=st.sampled_from([0.0, -1.0]),
        high=st.sampled_from([1.0, 255.0]),
        mean=colours,
        scale=colours.filter(all),
        fit=st.sampled_from(Fit),
        pad=st.integers(0, 255),
    )
)
def test_what_is_shown_of_a_preprocessing_can_be_given(spec: InputSpec) -> None:
    found = parse_input(as_option(spec))
    wanted = dict(all_declared(BY_USER, spec))
    if spec.fit not in PADDED:
        del wanted["pad"]
    assert found == wanted
    assert {**asdict(InputSpec()), **{name: value for name, (value, _) in found.items()}} | {
        "pad": spec.pad
    } == asdict(spec)
