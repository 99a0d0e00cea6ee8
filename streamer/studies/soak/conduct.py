"""A soak, begun or gone on with, to its document; who conducts it runs its parts."""

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
"""Why an option is refused that is given when a soak goes on."""


@dataclass(frozen=True, slots=True)
class Conducted:
    """What a soak has come to: where it is, and its ``soak.json``.

    ``failure`` is the error that ended its last part, ``interrupted`` what stopped that, as in SIGINT.
    """

    directory: Path
    document: SoakDocument
    failure: StreamerError | None
    interrupted: str | None


def place_of(sources: Sequence[str], resume: Path | None, out: Path | None, *, overwrite: bool) -> Successor:
    """Where a soak is written, or goes on. Raises UsageError and SinkError."""
    if resume is not None:
        return going_on(FILES, resume)
    if not sources:
        raise UsageError("soak: give a SOURCE, or --resume DIR")
    return successor(FILES, out or default_path(datetime.now(UTC), sources[0], NAME), overwrite=overwrite)


def conduct(place: Successor, begun: Callable[[Path], Soak], run_part: Callable[[Soak], Run]) -> Conducted:
    """Runs the next part of the soak that is ``begun`` in the place, by `part_of`, and judges and draws it.

    Raises what ``begun`` and ``run_part`` raise, and the error of a part that has left no ``run.json``.
    """
    with place:
        soak = begun(place.path)
        # One that was killed before it was judged has nothing left to be run.
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


def part_of(soak: Soak, run: Callable[[Settings, SoakWatch], Run], told: Callable[[WindowRow], None]) -> Run:
    """The next part of the soak, run by ``run``; ``told`` hears of each window. What cannot begin leaves no trace."""
    if not soak.begun:
        soak.check()
    settings, watch = soak.part(told)
    undo_at_once(soak.give_up)
    try:
        return run(settings, watch)
    except BaseException:
        soak.give_up()
        raise
    finally:
        undo_no_more(soak.give_up)
