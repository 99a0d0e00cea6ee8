"""No study claims an effect where there is none: a few of the studies of `benchmarks/no_effect.py`."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.no_effect import EFFECT, STUDIES, parity_of_null
from tests.runs import needs_bundled

QUICK = {
    "compare of 2 engines": 20,
    "compare of 7 engines": 8,
    "pace": 12,
    "parity": 4,
    "soak of 24 min": 40,
    "soak of an hour": 40,
}
"""The number of studies of each kind."""


@pytest.mark.parametrize("name", QUICK)
def test_arms_that_are_alike_are_not_distinguished(name: str) -> None:
    random = np.random.default_rng(4)
    study, _ = STUDIES[name]
    assert sum(study(random, 1) for _ in range(QUICK[name])) == 0


@pytest.mark.parametrize("name", QUICK)
def test_an_effect_of_a_tenth_is_found(name: str) -> None:
    random = np.random.default_rng(6)
    study, found = STUDIES[name]
    runs = QUICK[name] // 2
    assert sum(study(random, EFFECT) for _ in range(runs)) >= int(0.8 * found * runs)


@needs_bundled
def test_null_engines_agree_with_the_null_engine() -> None:
    assert parity_of_null(3) == 0
