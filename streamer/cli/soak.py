"""``streamer soak``."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource
from rich.console import Console

from streamer.cli.completion import complete_directories, complete_files
from streamer.cli.exit_codes import EXIT_DONE, EXIT_VERDICT, exit_of_signal
from streamer.cli.foreground import run_in_foreground
from streamer.cli.given_path import GivenPath
from streamer.cli.options import (
    Command,
    Parsed,
    detection_options,
    endurance_options,
    engine_option,
    freshness_options,
    given_settings,
    model_options,
    option_of,
    output_options,
    pace_options,
    pacing_options,
    picture_options,
    streams_option,
    video_stream_option,
)
from streamer.cli.progress import ProgressLine, tell_notes
from streamer.cli.soak_report import HEADING, print_soak, window_line
from streamer.cli.terminal import output_console, progress_console
from streamer.cli.trust import asking
from streamer.errors import UsageError
from streamer.files.scratch import undo_at_once, undo_no_more
from streamer.files.whole import write_whole
from streamer.run.finished import Run
from streamer.rundir.paths import MANIFEST, default_path
from streamer.settings.video import Video
from streamer.studies.soak.asked import ASKED
from streamer.studies.soak.chart import PICTURE, draw_soak
from streamer.studies.soak.study import NAME, Soak, SoakSettings, files_that_are_ours, parts_of, resumed
from streamer.studies.soak.windows_csv import WINDOWS
from streamer.studies.successor import Kind, Successor, going_on, successor
from streamer.units import parse_duration

FILES = Kind(NAME, (ASKED, WINDOWS, PICTURE, f"{NAME}.json"), parts_of, files_that_are_ours)
WITH_RESUME = {"sources", "resume", "trust", "as_json", "quiet"}
"""What may be said when a soak goes on."""


def time_option(name: str, default: str, text: str) -> Callable[[Command], Command]:
    """An option that takes a time such as 90s, 10m or 2h."""
    return click.option(
        name, metavar="TIME", type=Parsed("time", parse_duration), default=default, show_default=True, help=text
    )


@click.command()
@click.argument("sources", metavar="SOURCE...", nargs=-1, shell_complete=complete_files)
@option_of("duration_s", help="How long it lasts, as in 2h.")
@time_option("--window", "60s", "A line and a row of windows.csv for each of these.")
@time_option("--canary", "60s", "How often the golden frame is looked at.")
@option_of("segment_s", default=600.0, default_text="10m")
@option_of("keep_bytes", default=10**9, default_text="1G")
@click.option(
    "--resume",
    metavar="DIR",
    type=GivenPath(),
    shell_complete=complete_directories,
    help="Go on with a soak that was interrupted, as it was begun; SOURCE only for the sake of its password.",
)
@engine_option
@model_options
@video_stream_option
@streams_option
@pace_options
@pacing_options
@freshness_options
@endurance_options
@detection_options
@picture_options(Video.DELIVERED)
@output_options("The directory of the soak.", "Replace the soak in a directory that is not empty.", "soak.json")
def command(sources: tuple[str, ...], as_json: bool, quiet: bool, **options: Any) -> int:
    """A replay of SOURCE for hours, watched in windows, with a verdict: drift, leaks, losses, objectives, answers.

    A video file starts again at its end. Writes windows.csv (a row per window), part-0/ (a run directory, in pieces),
    soak.json and soak.png. A golden frame, inferred again and again beside the ledger, must show the same detections
    to the end. Exit code 3 when a verdict fails.

    \b
    Examples:
      streamer soak video.mp4 --duration 2h
      streamer soak video.mp4 --duration 8h --streams 4 --load cpu=1,mem=2G --slo 'latency.p99<50ms,drops<1%'
      streamer soak rtsp://camera/stream --duration 24h --respawn 3
      streamer soak --resume runs/20261125T120000Z-video.mp4-soak
    """
    with _place(sources, options) as place:
        soak = (_new if options["resume"] is None else _resumed)(sources, options, place.path)
        # One that was killed before it was judged has nothing left to be run.
        console = progress_console(quiet=quiet)
        finished = None if soak.done else asking(partial(_run, soak, console, place.notes), options["trust"])
        failure = None if finished is None else finished.failure
        if finished is not None and failure is not None and not (finished.directory / MANIFEST).is_file():
            raise failure
        document = soak.document()
        write_whole(soak.out / f"{NAME}.json", json.dumps(document, indent=2, ensure_ascii=False) + "\n")
        if soak.settings.replay.chart:
            draw_soak(soak.out, document)
        if failure is None and (finished is None or finished.interrupted is None):
            place.take_over()
    if as_json:
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    elif not quiet:
        print_soak(document, place.path, output_console())
    if failure is not None:
        raise failure
    if finished is not None and finished.interrupted is not None:
        return exit_of_signal(finished.interrupted)
    return EXIT_VERDICT if document["verdict"] == "failed" else EXIT_DONE


def _place(sources: tuple[str, ...], options: Mapping[str, Any]) -> Successor:
    """Where it is written, or goes on."""
    if options["resume"] is not None:
        return going_on(FILES, options["resume"])
    if not sources:
        raise UsageError("soak: give a SOURCE, or --resume DIR")
    if options["duration_s"] is None:
        raise UsageError("soak: say how long it is to last with --duration, as in 2h")
    out = options["out"] or default_path(datetime.now(UTC), sources[0], NAME)
    return successor(FILES, out, overwrite=options["overwrite"])


def _new(sources: tuple[str, ...], options: Mapping[str, Any], out: Path) -> Soak:
    return Soak(sources, SoakSettings(given_settings(options), options["window"], options["canary"]), out)


def _resumed(sources: tuple[str, ...], options: Mapping[str, Any], out: Path) -> Soak:
    context = click.get_current_context()
    for option in context.command.params:
        name = option.name or ""
        given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if given and name not in WITH_RESUME:
            raise UsageError(f"{option.opts[-1]}: a soak goes on as it was begun; leave it out with --resume")
    return resumed(out, sources)


def _run(soak: Soak, console: Console, notes: Sequence[str], trust: bool) -> Run:
    """Runs the next part, with a line per window above that of its progress."""
    if not soak.begun:
        soak.check()
    settings, watch = soak.part(lambda row: console.print(window_line(row), highlight=False, soft_wrap=True))
    tell_notes(notes, console)
    console.print(HEADING, highlight=False, soft_wrap=True)
    undo_at_once(soak.give_up)
    try:
        return run_in_foreground(soak.sources, replace(settings, trust=trust), ProgressLine(console, settings), watch)
    except BaseException:
        soak.give_up()
        raise
    finally:
        undo_no_more(soak.give_up)
