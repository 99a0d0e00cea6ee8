"""The synthetic street as a camera: endless, and the same every time."""

from __future__ import annotations

from fractions import Fraction

from streamer.errors import UsageError
from streamer.frame import Frame
from streamer.schedule.schedule import parse_fps
from streamer.sources.base import SourceInfo
from streamer.street.marker import SCENE
from streamer.street.scene import Street

EXAMPLE = f"{SCENE},seed=7,width=640,height=480,fps=30"
MOST_SIDE = 8192
"""Pixels; many players show no larger H.264."""


class SyntheticSource:
    """The street at ``rate`` frames per second; each frame is rendered when it is read, in about 8 ms."""

    def __init__(self, street: Street, rate: Fraction, *, stream: int = 0) -> None:
        self._street = street
        self._rate = rate
        self._stream = stream
        self._next = 0
        self.doubts: list[str] = []
        self.info = SourceInfo(
            uri=f"{SCENE},seed={street.seed},width={street.width},height={street.height},fps={rate}",
            width=street.width,
            height=street.height,
            rate=rate,
            frames=None,
            time_base=1 / rate,
            comment=f"{SCENE},seed={street.seed}",
        )

    def read(self) -> Frame:
        index = self._next
        self._next += 1
        image, _ = self._street.frame(index, float(self._rate))
        return Frame(self._stream, index, index / self._rate, image)

    def pts(self, index: int) -> Fraction:
        return index / self._rate

    def close(self) -> None:
        pass


def parse_synthetic(uri: str) -> SyntheticSource:
    """The source of an address such as ``synthetic:street,key=value``.

    The keys are ``seed`` (7), ``width`` and ``height`` in pixels (640, 480) and ``fps`` (30). Raises UsageError for
    another scene, key or value.
    """
    scene, *refinements = uri.split(",")
    if scene.lower() != SCENE:
        raise UsageError(f"{uri}: the one synthetic scene is {SCENE}, as in {EXAMPLE}")
    sizes = {"seed": 7, "width": 640, "height": 480}
    rate = Fraction(30)
    for refinement in refinements:
        key, equals, value = (part.strip() for part in refinement.partition("="))
        if not equals:
            raise UsageError(f"{uri}: {refinement!r} is not key=value, as in {EXAMPLE}")
        if key == "fps":
            rate = _rate(value)
        elif key in sizes:
            sizes[key] = _whole_number(key, value)
        else:
            raise UsageError(f"{SCENE} has no {key!r}: it takes seed, width, height and fps")
    return SyntheticSource(Street(sizes["seed"], sizes["width"], sizes["height"]), rate)


def _whole_number(key: str, value: str) -> int:
    least, most = (0, 2**63 - 1) if key == "seed" else (16, MOST_SIDE)
    if not (value.isascii() and value.isdecimal() and least <= int(value[:20]) <= most):
        raise UsageError(f"{SCENE}: {key}={value}: give a whole number from {least} to {most}")
    return int(value)


def _rate(value: str) -> Fraction:
    rate = parse_fps(value)
    if isinstance(rate, str):
        raise UsageError(f"{SCENE}: fps={value}: give frames per second, as in 30 or 30000/1001")
    return rate
