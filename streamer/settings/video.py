"""Which frames the annotated video shows."""

from __future__ import annotations

from enum import StrEnum


class Video(StrEnum):
    """Which frames the annotated video shows."""

    DELIVERED = "delivered"
    ALL = "all"
    NONE = "none"
