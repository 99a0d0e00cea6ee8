"""``streamer.replay``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from streamer.api.calling import called
from streamer.api.given_source import Source, sources_of
from streamer.api.progress import Observer
from streamer.api.running import run_observed
from streamer.errors import UsageError
from streamer.run.finished import Run
from streamer.settings.keywords import ReplayOptions
from streamer.settings.settings import Settings
from streamer.workers.stopping import Stop


def replay(
    source: Source | Sequence[Source],
    settings: Settings | None = None,
    *,
    observer: Observer | None = None,
    **options: Unpack[ReplayOptions],
) -> Run:
    """Replays ``source``, or several as a camera each, as ``streamer replay`` does, and returns the finished run.

    Options are named as on the command line, ``max_age`` for ``--max-age``, and are given as one types them there:
    ``replay("street.mp4", engine="ir", duration="10m")``. ``settings`` are options for several runs; an option that
    is given beside them overrides theirs. ``observer`` is called with the progress, in frames; without one a notebook
    shows a bar. Nothing is printed.

    Ctrl-C ends the run in good order: the result says INTERRUPTED.

    Raises UsageError, SourceError, ModelError or EngineError when it cannot run. An error during the run is raised
    too, after the run directory has been completed.
    """
    chosen = _settings(settings).changed(**options)
    sources = sources_of(source)
    if not sources:
        raise UsageError("source is an empty list: name one at least")

    def finished(stop: Stop, shown: Observer | None) -> Run:
        done = run_observed(sources, chosen, shown, stop)
        if done.failure is not None:
            raise done.failure
        return done

    return called(finished, observer)


def _settings(given: object) -> Settings:
    """The given settings, or the defaults for None. Raises UsageError for anything else."""
    if given is None:
        return Settings()
    if not isinstance(given, Settings):
        kind = type(given).__name__
        raise UsageError(f"settings is of type {kind}: give a streamer.Settings, or options by their names")
    return given
