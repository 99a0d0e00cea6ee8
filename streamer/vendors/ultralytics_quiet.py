"""Ultralytics, imported so that it neither installs packages, nor touches the network, nor writes outside."""

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
    """The ultralytics package, offline, without automatic installs, its settings in a temporary folder.

    Its switches are read from the environment when it is imported.
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
    """The same for the whole process: once it is imported, Ultralytics writes its settings there and nowhere else."""
    return tempfile.mkdtemp(prefix="streamer-")
