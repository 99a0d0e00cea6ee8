"""``streamer compare``."""

from __future__ import annotations

import json
from typing import Any

import click

from streamer.cli.compare_report import print_report
from streamer.cli.completion import complete_files
from streamer.cli.exit_codes import EXIT_DONE, EXIT_VERDICT, exit_of_signal
from streamer.cli.options import (
    complete_engine,
    detection_options,
    engines_options,
    given_settings,
    length_options,
    model_options,
    option_of_row,
    output_options,
    pace_options,
    pacing_options,
    picture_options,
    video_stream_option,
)
from streamer.cli.study_progress import OnTerminal
from streamer.cli.terminal import output_console, progress_console
from streamer.cli.trust import find_model_asking
from streamer.settings.study_options import BASELINE, TRUTH
from streamer.settings.video import Video
from streamer.studies.compare.conduct import conduct
from streamer.studies.compare.document import ComparisonDocument
from streamer.studies.compare.study import DEFAULT, CompareSettings
from streamer.studies.engine_choice import requested_engines


@click.command()
@click.argument(
    "sources", metavar="SOURCE | RUN_DIR RUN_DIR...", nargs=-1, required=True, shell_complete=complete_files
)
@engines_options(DEFAULT)
@option_of_row(BASELINE, "baseline", shell_complete=complete_engine)
@model_options
@video_stream_option
@pace_options
@pacing_options
@length_options
@option_of_row(TRUTH, "truth")
@detection_options
@picture_options(Video.NONE)
@output_options(
    "The directory for the results, and each engine's run directory.",
    "Write into a directory that is not empty, and replace what was compared there.",
    "compare.json",
)
def command(sources: tuple[str, ...], as_json: bool, quiet: bool, **options: Any) -> int:
    """Which engine is faster, and how sure is that? The same frames of SOURCE go through several engines at the
    camera's pace.

    The engines take turns in rounds of a second, each in a process of its own; the order reverses from round to
    round. Rounds are compared in pairs. An engine is called faster or slower when the ratio of times is at least 2 %
    from 1 and its 99 % interval excludes 1.

    With two or more run directories, the finished runs are compared and nothing is run.

    \b
    Examples:
      streamer compare video.mp4
      streamer compare video.mp4 --engines all --slo 'latency.p99<50ms,drops<1%'
      streamer compare video.mp4 --engine ir-auto-shared --engine ir-fast --loop --duration 5m
      streamer compare video.mp4 --engine ir --engine ir          # how much is noise here
      streamer compare runs/monday runs/friday
    """
    settings = CompareSettings(
        engines=requested_engines(options["engines"], options["group"], DEFAULT),
        baseline=options["baseline"],
        truth=options["truth"],
        replay=given_settings(options),
    )
    found = conduct(sources, settings, find_model_asking, OnTerminal(progress_console(quiet=quiet)))
    if as_json:
        click.echo(json.dumps(found.document, indent=2, ensure_ascii=False))
    elif not quiet:
        print_report(found.document, found.directory, output_console())
    if found.interrupted is not None:
        return exit_of_signal(found.interrupted)
    return EXIT_VERDICT if _missed(found.document) else EXIT_DONE


def _missed(document: ComparisonDocument) -> bool:
    """A run is INVALID, an objective was missed, or an engine disagrees."""
    return any(
        row["verdict"] == "INVALID" or row["slo"] == "missed" or row["agreement"] == "disagrees"
        for row in document["engines"]
    )
