"""Where streamer keeps what it can make again."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def cache_dir() -> Path:
    """The user's cache directory for streamer; STREAMER_CACHE overrides it. It need not exist yet."""
    return Path(os.environ.get("STREAMER_CACHE") or platformdirs.user_cache_dir("streamer"))
