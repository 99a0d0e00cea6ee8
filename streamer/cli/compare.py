"""``streamer compare``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from streamer.address import of_no_file, without_credentials
from streamer.cli.compare_report import print_report
from streamer.cli.completion import complete_files
from streamer.cli.exit_codes import EXIT_DONE, EXIT_VERDICT, exit_of_signal
from streamer.cli.given_path import GivenPath
from streamer.cli.options import (
    Parsed,
    complete_engine,
    detection_options,
    engines_options,
    given_settings,
    length_options,
    model_options,
    output_options,
    pace_options,
    pacing_options,
    picture_options,
    video_stream_option,
)
from streamer.cli.progress import tell_notes
from streamer.cli.study_progress import study_progress
from streamer.cli.terminal import output_console, progress_console
from streamer.cli.trust import find_model_asking
from streamer.engines.spec_parser import parse_spec
from streamer.errors import UsageError
from streamer.rundir.paths import default_path
from streamer.settings.video import Video
from streamer.studies.compare.chart import PICTURE, draw_comparison
from streamer.studies.compare.document import COLUMNS, NAME
from streamer.studies.compare.finished_runs import compare_finished, is_run
from streamer.studies.compare.study import CompareSettings, Comparison
from streamer.studies.engine_choice import asked_engines
from streamer.studies.free_place import of_study
from streamer.studies.output import write_files
from streamer.studies.successor import Kind, Successor, successor
from streamer.workers.stopping import Interrupted

FILES = Kind(NAME, (f"{NAME}.csv", PICTURE, f"{NAME}.json"), ours=of_study(NAME, COLUMNS))


@click.command()
@click.argument(
    "sources", metavar="SOURCE | RUN_DIR RUN_DIR...", nargs=-1, required=True, shell_complete=complete_files
)
@engines_options("tutorial")
@click.option(
    "--baseline",
    metavar="SPEC",
    type=Parsed("baseline", parse_spec),
    shell_complete=complete_engine,
    help="What the others are compared with.  [default: the first that can run]",
)
@model_options
@video_stream_option
@pace_options
@pacing_options
@length_options
@click.option(
    "--truth",
    metavar="FILE.json",
    type=GivenPath(),
    help="Ground truth as COCO JSON.  [default: the synthetic street's own]",
)
@detection_options
@picture_options(Video.NONE)
@output_options(
    "The directory for the results, and each engine's run directory.",
    "Write into a directory that is not empty, and replace what was compared there.",
    "compare.json",
)
def command(sources: tuple[str, ...], as_json: bool, quiet: bool, **options: Any) -> int:
    """Which engine, and how sure is that? The same frames of SOURCE through several engines at the camera's pace.

    They take turns in rounds of a second, each in a process of its own, in an order that turns round; round is
    compared with round. A difference is called one when it is at least 2 % and its 99 % interval leaves 1 out.

    With two or more run directories, the finished runs are compared and nothing is run.

    \b
    Examples:
      streamer compare video.mp4
      streamer compare video.mp4 --engines all --slo 'latency.p99<50ms,drops<1%'
      streamer compare video.mp4 --engine ir-auto-shared --engine ir-fast --loop --duration 5m
      streamer compare video.mp4 --engine ir --engine ir          # how much is noise here
      streamer compare runs/monday runs/friday
    """
    out: Path = options["out"] or default_path(datetime.now(UTC), sources[0], "compare")
    with successor(FILES, out, overwrite=options["overwrite"]) as place:
        document, interrupted = _compared(sources, place, quiet, options)
        if document is None:
            return exit_of_signal(interrupted) if interrupted else EXIT_DONE
        write_files(place.path, NAME, COLUMNS, document["engines"], document)
        if options["chart"]:
            draw_comparison(place.path, document)
        if interrupted is None:
            place.take_over()
    if as_json:
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    elif not quiet:
        print_report(document, place.path, output_console())
    if interrupted is not None:
        return exit_of_signal(interrupted)
    return EXIT_VERDICT if _missed(document) else EXIT_DONE


def _compared(
    sources: Sequence[str], place: Successor, quiet: bool, options: Mapping[str, Any]
) -> tuple[dict[str, Any] | None, str | None]:
    """The document, None when nothing was finished; and the signal that interrupted it, if one did."""
    if all(map(is_run, sources)) and len(sources) > 1:
        return compare_finished([Path(source) for source in sources], options["baseline"], place.out), None
    if len(sources) > 1:
        missing = next(source for source in sources if not is_run(source))
        shown = without_credentials(missing) if Path(missing).exists() else of_no_file(missing)
        if is_run(f"{missing}/part-0"):
            raise UsageError(f"{shown} is a soak, of one part or several: give each, as in {shown}/part-0")
        raise UsageError(f"{shown} is no finished run: give one SOURCE, or the directories of two or more runs")
    study = _study(sources[0], place.path, options)
    console = progress_console(quiet=quiet)
    tell_notes([*place.notes, *study.source_notes], console)
    return _run(study, console)


def _study(source: str, out: Path, options: Mapping[str, Any]) -> Comparison:
    settings = CompareSettings(
        engines=asked_engines(options["engines"], options["group"] or (None if options["engines"] else "tutorial")),
        baseline=options["baseline"],
        truth=options["truth"],
        replay=given_settings(options),
    )
    return Comparison(source, find_model_asking(options["model"], options["trust"]), settings, out)


def _run(study: Comparison, console: Console) -> tuple[dict[str, Any] | None, str | None]:
    """The document, None when nothing was finished; and the signal that interrupted it, if one did."""
    with study_progress(study.running, console, study.judging.steps) as (watch, judging):
        try:
            study.run(watch)
            return study.document(judging), None
        except Interrupted as error:
            return study.document_so_far(), error.reason


def _missed(document: Mapping[str, Any]) -> bool:
    """A run is INVALID, an objective was missed, or an engine disagrees."""
    return any(
        row["verdict"] == "INVALID" or row["slo"] == "missed" or row["agreement"] == "disagrees"
        for row in document["engines"]
    )
