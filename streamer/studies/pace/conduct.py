"""A study of paces from the first check to the last file, for the command and the library."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from streamer.models.model import Model
from streamer.rundir.paths import default_path
from streamer.studies.free_place import of_study
from streamer.studies.onlooker import Onlooker
from streamer.studies.output import write_files
from streamer.studies.pace.chart import CHART_FILE, draw_pace
from streamer.studies.pace.document import NAME, PaceDocument, document_of, document_so_far
from streamer.studies.pace.pace_csv import HEADER
from streamer.studies.pace.result import PaceResult
from streamer.studies.pace.study import PaceSettings, PaceStudy
from streamer.studies.successor import Kind, Successor, successor
from streamer.workers.stopping import Interrupted

FILES = Kind(NAME, (f"{NAME}.csv", CHART_FILE, f"{NAME}.json"), ours=of_study(NAME, HEADER))


def conduct(
    source: str, settings: PaceSettings, find: Callable[[str | None, bool], Model], onlooker: Onlooker
) -> PaceResult:
    """Studies engines at several rates; writes into ``settings.replay.out``.

    ``find`` finds the model by its name or path; its second argument is whether the model is trusted. A study that is
    interrupted after a round has a result that says so; before that, Interrupted is raised. Raises what `PaceStudy`
    and `successor` raise, and EngineError when no engine came to its end.
    """
    replay = settings.replay
    out = replay.out or default_path(datetime.now(UTC), source, NAME)
    with successor(FILES, out, overwrite=replay.overwrite) as place:
        study = PaceStudy(source, find(replay.model, replay.trust), settings, place.path)
        document, interrupted = _run(study, place, onlooker)
        write_files(place.path, NAME, HEADER, document["rates"], document)
        if replay.chart:
            draw_pace(place.path, document)
        if interrupted is None:
            place.take_over()
    return PaceResult(place.path, document, interrupted)


def _run(study: PaceStudy, place: Successor, onlooker: Onlooker) -> tuple[PaceDocument, str | None]:
    """The document, and what interrupted it, if something did."""
    onlooker.notes([*place.notes, *study.info.notes])
    with onlooker.progress(study.lanes) as (watch, _):
        try:
            study.run(watch)
            return document_of(study), None
        except Interrupted as error:
            document = document_so_far(study)
            if document is None:
                raise
            return document, error.reason
