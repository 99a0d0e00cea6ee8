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
    from streamer.api.compare import compare
    from streamer.api.pace import pace
    from streamer.api.progress import Progress
    from streamer.api.replay import replay
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
    from streamer.studies.compare.result import ComparisonResult
    from streamer.studies.pace.result import PaceResult

__version__ = "0.1.0"
__all__ = [
    "CacheError",
    "ComparisonResult",
    "Defect",
    "EngineError",
    "EngineLost",
    "EngineUnavailable",
    "Fit",
    "FrameRecord",
    "LibraryMissing",
    "ModelError",
    "NoSource",
    "Outcome",
    "PaceResult",
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
    "compare",
    "pace",
    "replay",
]

_HOMES = {
    "compare": "streamer.api.compare",
    "pace": "streamer.api.pace",
    "Progress": "streamer.api.progress",
    "replay": "streamer.api.replay",
    "Fit": "streamer.detection.input_spec",
    "FrameRecord": "streamer.ledger.record",
    "Outcome": "streamer.ledger.record",
    "Policy": "streamer.pipeline.drop_policy",
    "Run": "streamer.run.finished",
    "Settings": "streamer.settings.settings",
    "Video": "streamer.settings.video",
    "ComparisonResult": "streamer.studies.compare.result",
    "PaceResult": "streamer.studies.pace.result",
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
