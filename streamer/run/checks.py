"""Settings that do not go together with what is to be run."""

from __future__ import annotations

from streamer.errors import UsageError
from streamer.pipeline.drop_policy import Policy
from streamer.settings import Settings
from streamer.sources.base import SourceInfo


def check_live(info: SourceInfo, settings: Settings) -> None:
    """Raises UsageError for settings that ask a live source to wait, to keep a pace or to start again."""
    if not info.live:
        return
    if settings.fps != "source":
        raise UsageError(f"--fps {settings.fps}: {info.uri} is live and comes at its own pace: leave --fps out")
    if settings.policy is Policy.WAIT:
        raise UsageError(f"--policy wait: {info.uri} is live and cannot be held back: use drop-oldest or drop-newest")
    if settings.loop:
        raise UsageError(f"--loop: {info.uri} is live and cannot start again: leave --loop out")
