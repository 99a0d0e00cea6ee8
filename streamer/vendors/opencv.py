"""OpenCV, in any version and build: loaded when it is used, with the mend when it is missing, and silenced.

opencv-python and opencv-python-headless bring the same module ``cv2``. The first one links the libraries of a
desktop, which slim images and servers do not have.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from threading import Lock
from types import ModuleType
from typing import TYPE_CHECKING, Any

from streamer.errors import LibraryMissing

_DESKTOP = ("libGL", "libX11", "libXext", "libglib", "libgthread", "libxcb")
"""The desktop's libraries that opencv-python links. Qt's plugin for windows, which streamer never opens, has more."""
_DESKTOP_PACKAGES = "libgl1 libglib2.0-0"
"""Debian's packages that bring all of them, with their dependencies: the loader names one library at a time."""


def why_not(error: ImportError) -> str:
    """The text of which library is missing, with the two mends."""
    if isinstance(error, ModuleNotFoundError) and error.name == "cv2":
        return "OpenCV is not installed: pip install opencv-python-headless"
    missing = re.match(r"(lib[\w.+-]+?)[-.\d]*\.so[.\d]*(?=:)", str(error))
    headless = (
        "pip uninstall --yes opencv-python, then pip install --force-reinstall --no-deps opencv-python-headless, "
        "which serves as well"
    )
    if missing is None:
        return f"OpenCV cannot be loaded ({error}): {headless}"
    library = missing[0]
    packages = _DESKTOP_PACKAGES if missing[1] in _DESKTOP else f"the package that has {library}"
    return f"OpenCV cannot be loaded, {library} is missing: on Debian apt-get install {packages}; or {headless}"


class _OpenCV(ModuleType):
    """The module ``cv2``, loaded at its first use, since many commands do not need it."""

    def __getattr__(self, name: str) -> Any:
        try:
            module = import_module("cv2")
        except ImportError as error:
            raise LibraryMissing(why_not(error)) from error
        vars(self).update(vars(module))  # from now on a use is a plain attribute
        return getattr(module, name)


if TYPE_CHECKING:
    import cv2
else:
    cv2 = _OpenCV("cv2")

__all__ = ["cv2", "load_opencv", "opencv_quiet", "why_not"]

_SILENT = 0
"""LOG_LEVEL_SILENT of OpenCV's utils/logger.defines.hpp."""


def load_opencv() -> None:
    """Loads OpenCV now, so that it fails before a run begins. Raises LibraryMissing."""
    _ = cv2.__version__


_quieting = Lock()
_levels: list[int] = []
"""An entry for each block of `opencv_quiet` that is open: OpenCV's level before the first one."""


@contextmanager
def opencv_quiet() -> Iterator[None]:
    """Keeps OpenCV from printing within the block: streamer reports an error in one line.

    Several threads may be within it at once; the last one to leave restores the level.
    """
    # Up to 4.12 the functions are in cv2.utils; from 4.13 on in cv2.utils.logging.
    log: Any = getattr(cv2.utils, "logging", cv2)
    with _quieting:
        _levels.append(_levels[0] if _levels else log.getLogLevel())
        log.setLogLevel(_SILENT)
    try:
        yield
    finally:
        with _quieting:
            level = _levels.pop()
            if not _levels:
                log.setLogLevel(level)
