"""Ultralytics, imported so that it does not install packages, use the network, or write into the user's home."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import ModuleType


@contextmanager
def quiet_ultralytics() -> Iterator[ModuleType]:
    """The ultralytics package: offline, without automatic installs, with its settings in a temporary folder.

    It reads these switches from the environment when it is imported.
    """
    os.environ.setdefault("YOLO_OFFLINE", "true")
    os.environ.setdefault("YOLO_AUTOINSTALL", "false")
    os.environ.setdefault("YOLO_VERBOSE", "false")
    os.environ.setdefault("YOLO_CONFIG_DIR", _folder())
    try:
        import ultralytics

        logging.getLogger("ultralytics").setLevel(logging.ERROR)
        yield ultralytics
    finally:
        shutil.rmtree(_folder(), ignore_errors=True)


@cache
def _folder() -> str:
    """The folder of Ultralytics' settings, the same for the whole process."""
    return tempfile.mkdtemp(prefix="streamer-")
