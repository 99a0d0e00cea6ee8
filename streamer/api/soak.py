"""``streamer.soak``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Unpack

from streamer.api.calling import called
from streamer.api.given_source import Source, path_text, sources_of
from streamer.api.progress import Observer
from streamer.api.running import run_observed
from streamer.api.soak_result import SoakResult
from streamer.errors import UsageError
from streamer.run.finished import Run
from streamer.settings.keywords import PathText
from streamer.settings.settings import Settings
from streamer.studies.soak.conduct import GOES_ON, conduct, part_of, place_of
from streamer.studies.soak.soak_settings import SoakOptions, given_soak_settings
from streamer.studies.soak.study import Soak, resumed
from streamer.studies.soak.watch import SoakWatch
from streamer.studies.successor import Successor
from streamer.workers.stopping import Stop


def soak(
    source: Source | Sequence[Source] = (),
    *,
    resume: PathText | None = None,
    observer: Observer | None = None,
    **options: Unpack[SoakOptions],
) -> SoakResult:
    """Replays ``source`` for as long as ``duration`` says, watched in windows, as ``streamer soak`` does.

    Options are named and given as on the command line: ``soak("street.mp4", duration="2h", window="60s")``.
    ``resume`` is the directory of a soak that was interrupted. It goes on with its own options for the time that is
    left, and takes no others but ``trust``; ``source`` is given again only for its password, which is not kept.
    ``observer`` is called with the progress of the part that runs, in frames. Nothing is printed.

    Ctrl-C ends the soak in good order: the verdicts are those of the time so far, and it can go on.

    Raises UsageError, SourceError, ModelError or EngineError when it cannot run. An error during the soak is raised
    too, after ``soak.json`` has been written. A verdict that fails is no error.
    """
    sources = sources_of(source)

    def finished(stop: Stop, shown: Observer | None) -> SoakResult:
        place, begun = _new(sources, options) if resume is None else _interrupted(sources, resume, options)

        def run_part(soak: Soak) -> Run:
            def run(settings: Settings, watch: SoakWatch) -> Run:
                trusting = replace(settings, trust=options.get("trust", False))
                return run_observed(soak.sources, trusting, shown, stop, watch)

            return part_of(soak, run, lambda row: None)

        done = conduct(place, begun, run_part)
        if done.failure is not None:
            raise done.failure
        return SoakResult(done.directory, done.document, done.interrupted)

    return called(finished, observer)


def _new(sources: Sequence[str], options: Mapping[str, Any]) -> tuple[Successor, Callable[[Path], Soak]]:
    """The directory of a new soak, and the function that begins it there."""
    settings = given_soak_settings(options)
    place = place_of(sources, None, settings.replay.out, overwrite=settings.replay.overwrite)
    return place, partial(Soak, sources, settings)


def _interrupted(
    sources: Sequence[str], resume: PathText, options: Mapping[str, Any]
) -> tuple[Successor, Callable[[Path], Soak]]:
    """The directory of the soak that goes on, and the function that reads it there."""
    for name in options.keys() - {"trust"}:
        raise UsageError(f"{name}: {GOES_ON}")
    return place_of(sources, Path(path_text("resume", resume)), None, overwrite=False), partial(
        resumed, sources=sources
    )
