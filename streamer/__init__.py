"""streamer measures the latency that a camera application really has, for each way of running a detector.

>>> import streamer
>>> run = streamer.replay("street.mp4", engine="ir")  # doctest: +SKIP
>>> run.figures["latency"]["p95"]  # doctest: +SKIP
14.402
"""

from __future__ import annotations

import typing as _typing
from importlib import import_module as _import_module

if _typing.TYPE_CHECKING:
    from streamer import aio
    from streamer.api.bench import bench
    from streamer.api.compare import compare
    from streamer.api.detecting import Detector
    from streamer.api.effective import Effective
    from streamer.api.open_run import open_run
    from streamer.api.pace import pace
    from streamer.api.parity import parity
    from streamer.api.progress import Progress
    from streamer.api.replay import replay
    from streamer.api.request_detector import RequestDetector
    from streamer.api.soak import soak
    from streamer.api.soak_result import SoakResult
    from streamer.api.verify import Verification, verify
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
    from streamer.studies.bench.result import BenchResult
    from streamer.studies.compare.result import ComparisonResult
    from streamer.studies.pace.result import PaceResult
    from streamer.studies.parity.result import ParityResult

__version__ = "0.1.0"
__all__ = [
    "BenchResult",
    "CacheError",
    "ComparisonResult",
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
    "PaceResult",
    "ParityResult",
    "Policy",
    "Progress",
    "RequestDetector",
    "Run",
    "Settings",
    "SinkError",
    "SoakResult",
    "SourceError",
    "StreamerError",
    "UntrustedModel",
    "UsageError",
    "Verification",
    "Video",
    "__version__",
    "aio",
    "bench",
    "compare",
    "open_run",
    "pace",
    "parity",
    "replay",
    "soak",
    "verify",
]

_HOMES = {
    "compare": "streamer.api.compare",
    "pace": "streamer.api.pace",
    "Detector": "streamer.api.detecting",
    "Effective": "streamer.api.effective",
    "Progress": "streamer.api.progress",
    "RequestDetector": "streamer.api.request_detector",
    "SoakResult": "streamer.api.soak_result",
    "Verification": "streamer.api.verify",
    "bench": "streamer.api.bench",
    "open_run": "streamer.api.open_run",
    "parity": "streamer.api.parity",
    "replay": "streamer.api.replay",
    "soak": "streamer.api.soak",
    "verify": "streamer.api.verify",
    "Detections": "streamer.detection.detections",
    "Fit": "streamer.detection.input_spec",
    "FrameRecord": "streamer.ledger.record",
    "Outcome": "streamer.ledger.record",
    "Policy": "streamer.pipeline.drop_policy",
    "Run": "streamer.run.finished",
    "Settings": "streamer.settings.settings",
    "Video": "streamer.settings.video",
    "BenchResult": "streamer.studies.bench.result",
    "ParityResult": "streamer.studies.parity.result",
    "ComparisonResult": "streamer.studies.compare.result",
    "PaceResult": "streamer.studies.pace.result",
}
"""Where the public names are defined; all others are errors."""


if not _typing.TYPE_CHECKING:  # for a type checker there is only what is imported above

    def __getattr__(name: str) -> object:
        """Loads a public name when it is first used: importing streamer loads no vendor's library."""
        if name == "aio":
            return _import_module("streamer.aio")
        if name not in __all__:
            raise AttributeError(f"module 'streamer' has no attribute {name!r}")
        return getattr(_import_module(_HOMES.get(name, "streamer.errors")), name)


def __dir__() -> list[str]:
    return __all__
