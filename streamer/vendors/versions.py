"""The versions in force, and which of them are newer than any that streamer was tested with."""

from __future__ import annotations

import json
import platform
import re
import sys
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, distribution
from importlib.resources import files

OPENCV = ("opencv-python", "opencv-python-headless", "opencv-contrib-python", "opencv-contrib-python-headless")
"""The packages that bring the module cv2."""
BASE = (
    *("av", "numpy", *OPENCV, "openvino", "anyio", "click", "filelock", "hdrhistogram", "matplotlib", "msgspec"),
    *("platformdirs", "psutil", "pycocotools", "pyyaml", "rich"),
)
"""The packages of a base install."""
EXTRAS = ("torch", "torchvision", "ultralytics", "onnx", "onnxruntime", "nncf")
"""Those of the extras."""
SAID = ("python", "av", "ffmpeg", "numpy", *OPENCV, "openvino")
"""Those that are said beside an error, and above each pass of the tests."""
TESTED = "tested_versions.json"


def versions() -> dict[str, str]:
    """Python's version and that of each package that is installed, by its name; and FFmpeg's, once PyAV is loaded."""
    found = _installed()
    av = sys.modules.get("av")
    return found if av is None else {**found, "ffmpeg": str(av.ffmpeg_version_info)}


@lru_cache
def _installed() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in (*BASE, *EXTRAS):
        try:
            found[name] = _version_of(name)
        except PackageNotFoundError:
            continue
    return found


def _version_of(name: str) -> str:
    """The version alone: `importlib.metadata` would go through all that is said of each package."""
    said = re.search(r"^Version: (.+)$", distribution(name).read_text("METADATA") or "", re.MULTILINE)
    return said[1].strip() if said else distribution(name).version


@lru_cache
def tested() -> dict[str, str]:
    """The newest version of each that all tests have passed with; written by ``make test-newest``."""
    known: dict[str, str] = json.loads(files("streamer.vendors").joinpath(TESTED).read_text(encoding="utf-8"))
    return known


def note() -> str | None:
    """That versions are newer than any tested ones; None when none is. Of the extras, those count that are loaded."""
    newest = tested()
    limits = {name: newest.get(OPENCV[0] if name in OPENCV else name) for name in versions()}
    newer = [
        f"{name} {found} (tested up to {limit})"
        for name, found in versions().items()
        if (limit := limits[name]) and is_newer(found, limit) and (name not in EXTRAS or name in sys.modules)
    ]
    return f"streamer was not tested with versions as new as these: {', '.join(newer)}" if newer else None


def line() -> str:
    """The versions that a figure or a fault depends on most, in a line."""
    return ", ".join(f"{name} {found}" for name, found in versions().items() if name in SAID)


def is_newer(found: str, known: str) -> bool:
    """Whether a version is above another one, as far as that one goes: 3.13.5 is not above 3.13."""
    numbers, limit = _release(found), _release(known)
    return numbers[: len(limit)] > limit


def _release(name: str) -> tuple[int, ...]:
    """The numbers of a release, without what may follow them (rc1, +cpu)."""
    match = re.match(r"\d+(\.\d+)*", name)
    return tuple(int(number) for number in match[0].split(".")) if match else ()
