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
    from streamer.settings import Settings, Video

__version__ = "0.1.0"
__all__ = [
    "CacheError",
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
    "Policy",
    "Run",
    "Settings",
    "SinkError",
    "SourceError",
    "StreamerError",
    "UntrustedModel",
    "UsageError",
    "Video",
    "__version__",
    "replay",
]

_HOMES = {
    "replay": "streamer.api",
    "Fit": "streamer.detection.input_spec",
    "FrameRecord": "streamer.ledger.record",
    "Outcome": "streamer.ledger.record",
    "Policy": "streamer.pipeline.drop_policy",
    "Run": "streamer.run.finished",
    "Settings": "streamer.settings",
    "Video": "streamer.settings",
}
"""Where the public names are defined; all others are errors."""


def __getattr__(name: str) -> Any:
    """Loads the public names when they are first used: importing streamer alone loads no vendor."""
    if name not in __all__:
        raise AttributeError(f"module 'streamer' has no attribute {name!r}")
    return getattr(import_module(_HOMES.get(name, "streamer.errors")), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
