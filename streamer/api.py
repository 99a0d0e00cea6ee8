"""streamer as a library."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import anyio

from streamer.run.finished import Run
from streamer.run.run import run
from streamer.settings import Settings

BACKEND = "asyncio"
"""The event loop that runs the pipeline; chosen by measuring, see benchmarks/."""


def replay(source: str | Path | Sequence[str | Path], settings: Settings | None = None) -> Run:
    """Replays ``source``, or several as a stream each, and returns the finished run: summary, ledger and directory.

    Prints nothing.

    Raises UsageError, SourceError, ModelError or EngineError when it cannot run; an error on the way is raised too,
    after the run directory has been completed with what there was.
    """
    sources = [source] if isinstance(source, str | Path) else source
    finished = anyio.run(run, [str(one) for one in sources], settings or Settings(), backend=BACKEND)
    if finished.failure is not None:
        raise finished.failure
    return finished
