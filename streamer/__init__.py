"""streamer: what latency a camera application really has, through each way of running a detector.

>>> import streamer
>>> run = streamer.replay("street.mp4", streamer.Settings(engine="ir"))  # doctest: +SKIP
>>> run.figures["latency"]["p95"]  # doctest: +SKIP
14.402
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from streamer.api import replay
    from streamer.run.finished import Run
    from streamer.settings import Settings

__version__ = "0.1.0"
__all__ = ["Run", "Settings", "__version__", "replay"]

_HOMES = {"replay": "streamer.api", "Run": "streamer.run.finished", "Settings": "streamer.settings"}


def __getattr__(name: str) -> Any:
    """Loads the public names when they are first used: importing streamer alone loads no vendor."""
    if name not in _HOMES:
        raise AttributeError(f"module 'streamer' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
