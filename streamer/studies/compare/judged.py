"""What the detections of a run are worth."""

from __future__ import annotations

from dataclasses import dataclass

from streamer.accuracy.agreement import Agreement


@dataclass(frozen=True, slots=True)
class Judged:
    """Agreement with the reference engine, and mAP50 offline and streaming; None for what nothing tells."""

    agreement: Agreement | None = None
    offline_map50: float | None = None
    streaming_map50: float | None = None
