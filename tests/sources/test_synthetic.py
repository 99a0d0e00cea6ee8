"""The synthetic street as a camera."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from streamer.errors import UsageError
from streamer.street.marker import SCENE
from streamer.street.scene import Street
from tests.sources.reading import frames, opened, read_all

SMALL = "synthetic:street,seed=3,width=96,height=64,fps=30000/1001"


def test_it_is_the_street_endless_and_at_its_rate() -> None:
    source = opened(SMALL)
    info = source.info
    assert (info.uri, info.width, info.height, info.frames) == (SMALL, 96, 64, None)
    assert (info.rate, info.time_base, info.live) == (Fraction(30000, 1001), Fraction(1001, 30000), False)
    assert info.comment == f"{SCENE},seed=3"
    street = Street(3, 96, 64)
    for frame in frames(read_all(source, 5)):
        image, _ = street.frame(frame.index, float(info.rate))
        assert np.array_equal(frame.image, image)
        assert frame.pts == frame.index * Fraction(1001, 30000)
    assert source.pts(10**9) == 10**9 * Fraction(1001, 30000)


def test_the_same_seed_is_the_same_street_and_another_one_is_not() -> None:
    one, same, other = (
        frames(read_all(opened(text), 1))[0].image for text in (SMALL, SMALL, SMALL.replace("3", "4", 1))
    )
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_defaults_are_those_of_the_sample() -> None:
    info = opened("Synthetic:Street").info
    assert info.uri == "synthetic:street,seed=7,width=640,height=480,fps=30"
    assert (info.width, info.height, info.rate) == (640, 480, Fraction(30))


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("synthetic:moon", "the one synthetic scene is synthetic:street"),
        ("synthetic:", "the one synthetic scene is synthetic:street"),
        ("synthetic:street,weather=rain", "has no 'weather': it takes seed, width, height and fps"),
        ("synthetic:street,seed", "'seed' is not key=value"),
        ("synthetic:street,", "'' is not key=value"),
        ("synthetic:street,seed=-1", "seed=-1: give a whole number from 0"),
        ("synthetic:street,width=8", "width=8: give a whole number from 16 to 8192"),
        ("synthetic:street,height=99999", "height=99999: give a whole number"),
        ("synthetic:street,width=64x", "width=64x: give a whole number"),
        ("synthetic:street,fps=max", "fps=max: give frames per second"),
        ("synthetic:street,fps=0", "fps"),
    ],
)
def test_an_impossible_address_is_refused_with_the_possible_ones(uri: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        opened(uri)
