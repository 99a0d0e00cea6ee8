"""The installed versions, and those of them that are newer than any that streamer was tested with."""

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
"""The packages of the extras."""
SHOWN = ("python", "av", "ffmpeg", "numpy", *OPENCV, "openvino")
"""The versions that are shown beside an error, and above each pass of the tests."""
TESTED = "tested_versions.json"


def versions() -> dict[str, str]:
    """The version of Python and of each installed package, by name; and FFmpeg's, once PyAV is loaded."""
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
    """The version alone: `importlib.metadata` would parse all metadata of each package."""
    found = re.search(r"^Version: (.+)$", distribution(name).read_text("METADATA") or "", re.MULTILINE)
    return found[1].strip() if found else distribution(name).version


@lru_cache
def tested() -> dict[str, str]:
    """The newest version of each package with which all tests have passed; ``make test-newest`` writes them."""
    known: dict[str, str] = json.loads(files("streamer.vendors").joinpath(TESTED).read_text(encoding="utf-8"))
    return known


def note() -> str | None:
    """The note that versions are newer than any tested ones, else None. Extras count once they are loaded."""
    newest = tested()
    limits = {name: newest.get(OPENCV[0] if name in OPENCV else name) for name in versions()}
    newer = [
        f"{name} {found} (tested up to {limit})"
        for name, found in versions().items()
        if (limit := limits[name]) and is_newer(found, limit) and (name not in EXTRAS or name in sys.modules)
    ]
    return f"streamer was not tested with versions as new as these: {', '.join(newer)}" if newer else None


def line() -> str:
    """The versions on which figures and faults depend most, in a line."""
    return ", ".join(f"{name} {found}" for name, found in versions().items() if name in SHOWN)


def is_newer(found: str, known: str) -> bool:
    """Whether a version is newer than another one, as far as that one goes: 3.13.5 is not newer than 3.13."""
    numbers, limit = _release(found), _release(known)
    return numbers[: len(limit)] > limit


def _release(name: str) -> tuple[int, ...]:
    """The numbers of a release, without suffixes such as rc1 and +cpu."""
    match = re.match(r"\d+(\.\d+)*", name)
    return tuple(int(number) for number in match[0].split(".")) if match else ()
