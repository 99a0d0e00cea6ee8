"""What the tests of the library's functions share."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.api.calls import children
from tests.videos import write_video


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video of 80 frames, bright, so that the small model is sure of what it sees."""
    pictures = [np.full((48, 64, 3), 250, np.uint8) for _ in range(80)]
    return write_video(tmp_path_factory.mktemp("api") / "clip.mkv", pictures, rate=Fraction(10))


@pytest.fixture
def no_child_is_left() -> Iterator[None]:
    """A test fails that leaves a process behind."""
    before = children()
    yield
    assert children() <= before
