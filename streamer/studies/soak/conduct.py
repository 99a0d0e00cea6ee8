"""A soak, from its beginning or its resumption to its document; the caller runs its parts."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from streamer.errors import StreamerError, UsageError
from streamer.files.scratch import undo_at_once, undo_no_more
from streamer.files.whole import write_whole
from streamer.run.finished import Run
from streamer.rundir.paths import MANIFEST, default_path
from streamer.settings.settings import Settings
from streamer.studies.soak.chart import CHART_FILE, draw_soak
from streamer.studies.soak.document import NAME, SoakDocument
from streamer.studies.soak.request import REQUEST
from streamer.studies.soak.study import Soak, files_that_are_ours, parts_of
from streamer.studies.soak.watch import SoakWatch
from streamer.studies.soak.windows_csv import WINDOWS, WindowRow
from streamer.studies.successor import Kind, Successor, going_on, successor

FILES = Kind(NAME, (REQUEST, WINDOWS, CHART_FILE, f"{NAME}.json"), parts_of, files_that_are_ours)
GOES_ON = "a soak goes on as it was begun; leave it out with --resume"
"""Why an option is refused together with ``--resume``."""


@dataclass(frozen=True, slots=True)
class Conducted:
    """A soak after its last part: its directory, and its ``soak.json``.

    ``failure`` is the error that ended the last part. ``interrupted`` is what stopped it, as in SIGINT.
    """

    directory: Path
    document: SoakDocument
    failure: StreamerError | None
    interrupted: str | None


def place_of(sources: Sequence[str], resume: Path | None, out: Path | None, *, overwrite: bool) -> Successor:
    """The place where a soak is written, or goes on. Raises UsageError and SinkError."""
    if resume is not None:
        return going_on(FILES, resume)
    if not sources:
        raise UsageError("soak: give a SOURCE, or --resume DIR")
    return successor(FILES, out or default_path(datetime.now(UTC), sources[0], NAME), overwrite=overwrite)


def conduct(place: Successor, begun: Callable[[Path], Soak], run_part: Callable[[Soak], Run]) -> Conducted:
    """Runs the next part of the soak that ``begun`` returns for the place; assesses and draws the soak.

    ``run_part`` runs the part with `part_of`. Raises what ``begun`` and ``run_part`` raise, and the error of a part
    that has left no ``run.json``.
    """
    with place:
        soak = begun(place.path)
        # A soak that was killed before it was assessed has nothing left to run.
        finished = None if soak.done else run_part(soak)
        failure = None if finished is None else finished.failure
        interrupted = None if finished is None else finished.interrupted
        if finished is not None and failure is not None and not (finished.directory / MANIFEST).is_file():
            raise failure
        document = soak.document()
        write_whole(soak.out / f"{NAME}.json", json.dumps(document, indent=2, ensure_ascii=False) + "\n")
        if soak.settings.replay.chart:
            draw_soak(soak.out, document)
        if failure is None and interrupted is None:
            place.take_over()
    return Conducted(place.path, document, failure, interrupted)


def part_of(soak: Soak, run: Callable[[Settings, SoakWatch], Run], report: Callable[[WindowRow], None]) -> Run:
    """Runs the next part of the soak by ``run``; ``report`` gets each window.

    A part that cannot begin leaves no trace. Raises UsageError when the directory may not be used, and what ``run``
    raises.
    """
    if not soak.begun:
        soak.check()
    settings, watch = soak.part(report)
    undo_at_once(soak.give_up)
    try:
        return run(settings, watch)
    except BaseException:
        soak.give_up()
        raise
    finally:
        undo_no_more(soak.give_up)
