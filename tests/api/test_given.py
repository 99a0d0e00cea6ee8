"""What is given to a function and cannot be meant is refused in a line that says the mend, as every error is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import streamer

NO_SOURCES = [None, 0, 1.5, b"street.mp4", np.array([1, 2]), {"a": 1}, ..., "street\0.mp4"]
SOURCED = ["replay", "compare", "pace", "parity", "soak"]


@pytest.mark.parametrize("given", NO_SOURCES, ids=repr)
@pytest.mark.parametrize("name", SOURCED)
def test_what_is_no_source_is_refused(name: str, given: Any) -> None:
    with pytest.raises(streamer.UsageError, match=r"^source .*: give a "):
        getattr(streamer, name)(given, engine="null")


@pytest.mark.parametrize("name", ["replay", "soak"])
def test_what_is_no_source_among_several_is_refused(name: str) -> None:
    with pytest.raises(streamer.UsageError, match="source is of type int: give a str or a Path"):
        getattr(streamer, name)(["street.mp4", 0], engine="null")


def test_no_source_at_all_is_refused() -> None:
    with pytest.raises(streamer.UsageError, match="source is an empty list: name one at least"):
        streamer.replay([], engine="null")


@pytest.mark.parametrize("given", [0, b"runs/demo", ["runs/demo"], "runs\0demo"], ids=repr)
def test_what_is_no_directory_is_refused(given: Any) -> None:
    with pytest.raises(streamer.UsageError, match=r"^run_dir .*: give a "):
        streamer.verify(given)
    with pytest.raises(streamer.UsageError, match=r"^directory .*: give a "):
        streamer.open_run(given)
    with pytest.raises(streamer.UsageError, match=r"^resume .*: give a "):
        streamer.soak(resume=given)
    with pytest.raises(streamer.UsageError, match=r"^image .*: give a "):
        streamer.bench(given, engine="null")


def test_what_are_no_settings_is_refused() -> None:
    given: Any = "ir"
    with pytest.raises(streamer.UsageError, match=r"settings is of type str: give a streamer\.Settings"):
        streamer.replay("street.mp4", given)


def test_what_is_no_observer_is_refused() -> None:
    given: Any = "bar"
    with pytest.raises(streamer.UsageError, match="observer is of type str: give a function"):
        streamer.replay("street.mp4", engine="null", observer=given)


def test_what_names_no_engines_is_refused() -> None:
    given: Any = np.array(["ir", "null"])
    with pytest.raises(streamer.UsageError, match=r"^engine ndarray: give a text, or several"):
        streamer.compare("street.mp4", engine=given)
