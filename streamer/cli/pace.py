"""``streamer pace``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from streamer.cli.completion import complete_files
from streamer.cli.exit_codes import EXIT_DONE, EXIT_VERDICT, exit_of_signal
from streamer.cli.options import (
    Parsed,
    detection_options,
    engines_options,
    given_settings,
    model_options,
    option_of,
    output_options,
    pacing_options,
    picture_options,
    video_stream_option,
)
from streamer.cli.pace_report import print_report
from streamer.cli.progress import tell_notes
from streamer.cli.study_progress import study_progress
from streamer.cli.terminal import output_console, progress_console
from streamer.cli.trust import find_model_asking
from streamer.engines.spec_parser import parse_spec
from streamer.rundir.paths import default_path
from streamer.settings.video import Video
from streamer.studies.engine_choice import asked_engines
from streamer.studies.free_place import of_study
from streamer.studies.output import write_files
from streamer.studies.pace.chart import PICTURE, draw_pace
from streamer.studies.pace.document import COLUMNS, NAME, document_of
from streamer.studies.pace.study import PaceSettings, PaceStudy, parse_rates
from streamer.studies.successor import Kind, successor
from streamer.workers.stopping import Interrupted

DEFAULT = "ir-auto-shared"
FILES = Kind(NAME, (f"{NAME}.csv", PICTURE, f"{NAME}.json"), ours=of_study(NAME, COLUMNS))


@click.command()
@click.argument("source", metavar="SOURCE", shell_complete=complete_files)
@click.option(
    "--fps",
    "rates",
    metavar="N,N,...,max",
    type=Parsed("fps", parse_rates),
    default="2,5,10,15,30,60,max",
    show_default=True,
    help="The frame rates, and max for the closed loop.",
)
@engines_options(DEFAULT)
@model_options
@video_stream_option
@option_of(
    "duration_s",
    default=20.0,
    default_text="20s",
    help="How much of the camera's time each rate gets, as in 90s or 10m; a source that is shorter starts again.",
)
@pacing_options
@detection_options
@picture_options(Video.NONE)
@output_options(
    "The directory for the results, and the run directory of each rate.",
    "Write into a directory that is not empty, and replace what was studied there.",
    "pace.json",
)
def command(source: str, as_json: bool, quiet: bool, **options: Any) -> int:
    """How does latency depend on the frame rate? SOURCE through an engine at several rates.

    They take turns in rounds, each in a process of its own. Between the frames of a slow camera caches go cold and
    clocks go down, and an inference takes longer than back to back: the idle penalty. At the other end frames fall
    due faster than the engine takes them: the queueing knee.

    \b
    Examples:
      streamer pace video.mp4
      streamer pace video.mp4 --fps 5,10,15,30 --slo 'latency.p95<50ms,drops<1%'
      streamer pace video.mp4 --engine ir-auto-shared --engine ir-primed --fps 5,10,max --duration 1m
    """
    out: Path = options["out"] or default_path(datetime.now(UTC), source, "pace")
    engines = options["engines"] or (() if options["group"] else (parse_spec(DEFAULT),))
    settings = PaceSettings(
        engines=asked_engines(engines, options["group"]),
        rates=options["rates"],
        seconds=options["duration_s"],
        replay=given_settings({**options, "duration_s": None}),
    )
    with successor(FILES, out, overwrite=options["overwrite"]) as place:
        study = PaceStudy(source, find_model_asking(options["model"], options["trust"]), settings, place.path)
        console = progress_console(quiet=quiet)
        tell_notes([*place.notes, *study.info.notes], console)
        interrupted = _run(study, console)
        document = document_of(study, interrupted=interrupted is not None)
        if document is not None:
            write_files(place.path, NAME, COLUMNS, document["rates"], document)
            if options["chart"]:
                draw_pace(place.path, document)
            if interrupted is None:
                place.take_over()
    if document is not None and as_json:
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    elif document is not None and not quiet:
        print_report(document, place.path, output_console())
    if interrupted is not None:
        return exit_of_signal(interrupted)
    return EXIT_VERDICT if document is not None and _missed(document) else EXIT_DONE


def _run(study: PaceStudy, console: Console) -> str | None:
    """Runs it; the signal that interrupted it, if one did."""
    with study_progress(study.lanes, console) as (watch, _):
        try:
            study.run(watch)
        except Interrupted as error:
            return error.reason
    return None


def _missed(document: Mapping[str, Any]) -> bool:
    """A run is INVALID, or an engine meets the objectives at no rate."""
    highest = document["highest_rate"] or {}
    return any(row["verdict"] == "INVALID" for row in document["rates"]) or None in highest.values()
