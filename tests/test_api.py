"""The public face: what a user of the library needs is in streamer itself, and is loaded when it is first used."""

from __future__ import annotations

import ast
import inspect
from importlib import import_module
from pathlib import Path

import pytest

import streamer
from streamer import errors
from tests.test_imports import loaded_by

NAMES = (
    *("aio", "bench", "compare", "open_run", "pace", "parity", "replay", "soak", "verify"),
    *("BenchResult", "ComparisonResult", "PaceResult", "ParityResult", "Run", "SoakResult", "Verification"),
    *("Detections", "Detector", "Effective", "RequestDetector"),
    *("Fit", "FrameRecord", "Outcome", "Policy", "Progress", "Settings", "Video"),
)
ERRORS = [
    name
    for name, one in inspect.getmembers(errors, inspect.isclass)
    if issubclass(one, Exception) and one.__module__ == errors.__name__
]


def seen_by_type_checkers() -> dict[str, str]:
    """The names that are imported for type checkers, and the module of each."""
    tree = ast.parse(Path(inspect.getfile(streamer)).read_text(encoding="utf-8"))
    checking = next(node for node in tree.body if isinstance(node, ast.If))
    return {
        alias.name: node.module or ""
        for node in checking.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def test_all_names_what_a_user_needs_and_nothing_else() -> None:
    assert sorted(streamer.__all__) == sorted([*NAMES, *ERRORS, "__version__"])


@pytest.mark.parametrize("name", [*NAMES, *ERRORS])
def test_a_public_name_is_the_one_that_type_checkers_see(name: str) -> None:
    home = seen_by_type_checkers()[name]
    assert getattr(streamer, name) is getattr(import_module(home), name)
    assert name in dir(streamer)


def test_type_checkers_see_no_other_names() -> None:
    assert sorted(seen_by_type_checkers()) == sorted([*NAMES, *ERRORS])


def test_a_name_that_is_not_public_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="module 'streamer' has no attribute 'nothing'"):
        _ = streamer.nothing  # type: ignore[attr-defined]


def test_neither_dir_nor_an_error_loads_a_vendor() -> None:
    loaded = loaded_by(
        "import streamer\ndir(streamer)\nstreamer.StreamerError, streamer.Outcome, streamer.FrameRecord"
    )
    assert "streamer" in loaded
    assert not loaded & {"openvino", "torch", "matplotlib", "cv2", "av", "numpy", "anyio", "click"}


def test_everything_is_imported_with_a_star() -> None:
    namespace: dict[str, object] = {}
    exec("from streamer import *", namespace)
    assert {*NAMES, *ERRORS} <= namespace.keys()
