"""streamer: what latency a camera application really has, through each way of running a detector.

>>> import streamer
>>> run = streamer.replay("street.mp4", engine="ir")  # doctest: +SKIP
>>> run.figures["latency"]["p95"]  # doctest: +SKIP
14.402
"""

from __future__ import annotations

from importlib import import_module as _import_module
from typing import TYPE_CHECKING as _TYPE_CHECKING

if _TYPE_CHECKING:
    from streamer import aio
    from streamer.api.detecting import Detector
    from streamer.api.effective import Effective
    from streamer.api.progress import Progress
    from streamer.api.replay import replay
    from streamer.detection.detections import Detections
    from streamer.detection.input_spec import Fit
    from streamer.errors import (
        CacheError,
        Defect,
        EngineError,
        EngineLost,
        EngineUnavailable,
        LibraryMissing,
        ModelError,
        NoSource,
        SinkError,
        SourceError,
        StreamerError,
        UntrustedModel,
        UsageError,
    )
    from streamer.ledger.record import FrameRecord, Outcome
    from streamer.pipeline.drop_policy import Policy
    from streamer.run.finished import Run
    from streamer.settings.settings import Settings
    from streamer.settings.video import Video

__version__ = "0.1.0"
__all__ = [
    "CacheError",
    "Defect",
    "Detections",
    "Detector",
    "Effective",
    "EngineError",
    "EngineLost",
    "EngineUnavailable",
    "Fit",
    "FrameRecord",
    "LibraryMissing",
    "ModelError",
    "NoSource",
    "Outcome",
    "Policy",
    "Progress",
    "Run",
    "Settings",
    "SinkError",
    "SourceError",
    "StreamerError",
    "UntrustedModel",
    "UsageError",
    "Video",
    "__version__",
    "aio",
    "replay",
]

_HOMES = {
    "Detector": "streamer.api.detecting",
    "Effective": "streamer.api.effective",
    "Progress": "streamer.api.progress",
    "replay": "streamer.api.replay",
    "Detections": "streamer.detection.detections",
    "Fit": "streamer.detection.input_spec",
    "FrameRecord": "streamer.ledger.record",
    "Outcome": "streamer.ledger.record",
    "Policy": "streamer.pipeline.drop_policy",
    "Run": "streamer.run.finished",
    "Settings": "streamer.settings.settings",
    "Video": "streamer.settings.video",
}
"""Where the public names are defined; all others are errors."""


def __getattr__(name: str) -> object:
    """Loads the public names when they are first used: importing streamer alone loads no vendor."""
    if name == "aio":
        return _import_module("streamer.aio")
    if name not in __all__:
        raise AttributeError(f"module 'streamer' has no attribute {name!r}")
    return getattr(_import_module(_HOMES.get(name, "streamer.errors")), name)


def __dir__() -> list[str]:
    return __all__
