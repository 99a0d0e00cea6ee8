"""``streamer pace``."""

from __future__ import annotations

import json
from typing import Any

import click

from streamer.cli.completion import complete_files
from streamer.cli.exit_codes import EXIT_DONE, EXIT_VERDICT, exit_of_signal
from streamer.cli.options import (
    detection_options,
    engines_options,
    given_settings,
    model_options,
    option_of_row,
    output_options,
    pacing_options,
    picture_options,
    video_stream_option,
)
from streamer.cli.pace_report import print_report
from streamer.cli.study_progress import OnTerminal
from streamer.cli.terminal import output_console, progress_console
from streamer.cli.trust import find_model_asking
from streamer.settings.study_options import DURATION, RATES
from streamer.settings.video import Video
from streamer.studies.engine_choice import requested_engines
from streamer.studies.pace.conduct import conduct
from streamer.studies.pace.document import PaceDocument
from streamer.studies.pace.study import DEFAULT, PaceSettings


@click.command()
@click.argument("source", metavar="SOURCE", shell_complete=complete_files)
@option_of_row(RATES, "rates")
@engines_options(DEFAULT)
@model_options
@video_stream_option
@option_of_row(DURATION, "duration_s")
@pacing_options
@detection_options
@picture_options(Video.NONE)
@output_options(
    "The directory for the results, and the run directory of each rate.",
    "Write into a directory that is not empty, and replace what was studied there.",
    "pace.json",
)
def command(source: str, as_json: bool, quiet: bool, **options: Any) -> int:
    """How does latency depend on the frame rate? SOURCE goes through an engine at several rates.

    The rates take turns in rounds, each in a process of its own. At a low rate caches go cold and CPU clocks slow
    down between frames, so that an inference takes longer than back to back: the idle penalty. At a high rate frames
    are due faster than the engine infers them: the queueing knee.

    \b
    Examples:
      streamer pace video.mp4
      streamer pace video.mp4 --fps 5,10,15,30 --slo 'latency.p95<50ms,drops<1%'
      streamer pace video.mp4 --engine ir-auto-shared --engine ir-primed --fps 5,10,max --duration 1m
    """
    settings = PaceSettings(
        engines=requested_engines(options["engines"], options["group"], DEFAULT),
        rates=options["rates"],
        seconds=options["duration_s"],
        replay=given_settings({**options, "duration_s": None}),
    )
    found = conduct(source, settings, find_model_asking, OnTerminal(progress_console(quiet=quiet)))
    if as_json:
        click.echo(json.dumps(found.document, indent=2, ensure_ascii=False))
    elif not quiet:
        print_report(found.document, found.directory, output_console())
    if found.interrupted is not None:
        return exit_of_signal(found.interrupted)
    return EXIT_VERDICT if _missed(found.document) else EXIT_DONE


def _missed(document: PaceDocument) -> bool:
    """A run is INVALID, or an engine meets the objectives at no rate."""
    highest = document["highest_rate"] or {}
    return any(row["verdict"] == "INVALID" for row in document["rates"]) or None in highest.values()
