"""OpenCV without its warnings on standard error: what went wrong is said by streamer, in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import cv2.utils.logging


@contextmanager
def opencv_quiet() -> Iterator[None]:
    """Within it OpenCV prints nothing."""
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(level)
