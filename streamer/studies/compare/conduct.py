"""A comparison from the first check to the last file, for the command and the library."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from streamer.address import of_no_file, without_credentials
from streamer.errors import UsageError
from streamer.models.model import Model
from streamer.rundir.paths import default_path
from streamer.studies.compare.chart import CHART_FILE, draw_comparison
from streamer.studies.compare.compare_csv import HEADER
from streamer.studies.compare.document import NAME, ComparisonDocument
from streamer.studies.compare.finished_runs import compare_finished, is_run
from streamer.studies.compare.result import ComparisonResult
from streamer.studies.compare.study import CompareSettings, Comparison
from streamer.studies.free_place import of_study
from streamer.studies.onlooker import Onlooker
from streamer.studies.output import write_files
from streamer.studies.successor import Kind, Successor, successor
from streamer.workers.stopping import Interrupted

FILES = Kind(NAME, (f"{NAME}.csv", CHART_FILE, f"{NAME}.json"), ours=of_study(NAME, HEADER))


def conduct(
    sources: Sequence[str],
    settings: CompareSettings,
    find: Callable[[str | None, bool], Model],
    onlooker: Onlooker,
) -> ComparisonResult:
    """Compares engines on a source, or two finished runs or more; writes into ``settings.replay.out``.

    ``find`` finds the model by its name or path; its second argument is whether the model is trusted. A comparison
    that is interrupted after a round has a result that says so; before that, Interrupted is raised. Raises what
    `Comparison`, `compare_finished` and `successor` raise.
    """
    replay = settings.replay
    out = replay.out or default_path(datetime.now(UTC), sources[0], NAME)
    with successor(FILES, out, overwrite=replay.overwrite) as place:
        if len(sources) > 1:
            document, interrupted = compare_finished(_runs(sources), settings.baseline, place.out), None
        else:
            study = Comparison(sources[0], find(replay.model, replay.trust), settings, place.path)
            document, interrupted = _run(study, place, onlooker)
        write_files(place.path, NAME, HEADER, document["engines"], document)
        if replay.chart:
            draw_comparison(place.path, document)
        if interrupted is None:
            place.take_over()
    return ComparisonResult(place.path, document, interrupted)


def _runs(sources: Sequence[str]) -> list[Path]:
    """The directories of finished runs. Raises UsageError for a source that is no such directory."""
    for source in sources:
        if is_run(source):
            continue
        shown = without_credentials(source) if Path(source).exists() else of_no_file(source)
        if is_run(f"{source}/part-0"):
            raise UsageError(f"{shown} is a soak, of one part or several: give each, as in {shown}/part-0")
        raise UsageError(f"{shown} is no finished run: give one SOURCE, or the directories of two or more runs")
    return [Path(source) for source in sources]


def _run(study: Comparison, place: Successor, onlooker: Onlooker) -> tuple[ComparisonDocument, str | None]:
    """The document, and what interrupted it, if something did."""
    onlooker.notes([*place.notes, *study.source_notes])
    with onlooker.progress(study.running, study.scoring.steps) as (watch, advance):
        try:
            study.run(watch)
            return study.document(advance), None
        except Interrupted as error:
            document = study.document_so_far()
            if document is None:
                raise
            return document, error.reason
