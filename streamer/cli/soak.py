"""``streamer soak``."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
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
from streamer.run.finished import Run
from streamer.settings.option import Option
from streamer.settings.settings import Settings
from streamer.settings.video import Video
from streamer.studies.soak.conduct import GOES_ON, conduct, part_of, place_of
from streamer.studies.soak.soak_settings import CANARY, KEEP, OTHERWISE, SEGMENT, WINDOW, SoakSettings
from streamer.studies.soak.study import Soak, resumed
from streamer.studies.soak.watch import SoakWatch
from streamer.studies.successor import Successor
from streamer.units import parse_duration

WITH_RESUME = {"sources", "resume", "trust", "as_json", "quiet"}
"""The parameters that may be given with ``--resume``."""


def time_option(row: Option) -> Callable[[Command], Command]:
    """An option that takes a time such as 90s, 10m or 2h."""
    return click.option(
        row.flag,
        metavar=row.metavar,
        type=Parsed("time", parse_duration),
        default=row.default_text,
        show_default=True,
        help=row.help,
    )


@click.command()
@click.argument("sources", metavar="SOURCE...", nargs=-1, shell_complete=complete_files)
@option_of("duration_s", help="How long it lasts, as in 2h.")
@time_option(WINDOW)
@time_option(CANARY)
@option_of("segment_s", default=OTHERWISE["segment_s"], default_text=SEGMENT)
@option_of("keep_bytes", default=OTHERWISE["keep_bytes"], default_text=KEEP)
@click.option(
    "--resume",
    metavar="DIR",
    type=GivenPath(),
    shell_complete=complete_directories,
    help="Go on with an interrupted soak, with its own options; give SOURCE again only for its password.",
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
    """A replay of SOURCE for hours, watched in windows, with verdicts: drift, leaks, losses, objectives, answers.

    A video file starts again at its end. Writes windows.csv (a row per window), part-0/ (a run directory, in
    segments), soak.json and soak.png. A canary frame is inferred again and again beside the ledger; its detections
    must stay the same to the end. Exit code 3 when a verdict fails.

    \b
    Examples:
      streamer soak video.mp4 --duration 2h
      streamer soak video.mp4 --duration 8h --streams 4 --load cpu=1,mem=2G --slo 'latency.p99<50ms,drops<1%'
      streamer soak rtsp://camera/stream --duration 24h --respawn 3
      streamer soak --resume runs/20261125T120000Z-video.mp4-soak
    """
    console = progress_console(quiet=quiet)
    place = _place(sources, options)
    done = conduct(
        place,
        partial(_new if options["resume"] is None else _resumed, sources, options),
        lambda soak: asking(partial(_run, soak, console, place.notes), options["trust"]),
    )
    if as_json:
        click.echo(json.dumps(done.document, indent=2, ensure_ascii=False))
    elif not quiet:
        print_soak(done.document, done.directory, output_console())
    if done.failure is not None:
        raise done.failure
    if done.interrupted is not None:
        return exit_of_signal(done.interrupted)
    return EXIT_VERDICT if done.document["verdict"] == "failed" else EXIT_DONE


def _place(sources: tuple[str, ...], options: Mapping[str, Any]) -> Successor:
    if options["resume"] is None and sources and options["duration_s"] is None:
        raise UsageError("soak: say how long it is to last with --duration, as in 2h")
    return place_of(sources, options["resume"], options["out"], overwrite=options["overwrite"])


def _new(sources: tuple[str, ...], options: Mapping[str, Any], out: Path) -> Soak:
    return Soak(sources, SoakSettings(given_settings(options), options["window"], options["canary"]), out)


def _resumed(sources: tuple[str, ...], options: Mapping[str, Any], out: Path) -> Soak:
    context = click.get_current_context()
    for option in context.command.params:
        name = option.name or ""
        given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if given and name not in WITH_RESUME:
            raise UsageError(f"{option.opts[-1]}: {GOES_ON}")
    return resumed(out, sources)


def _run(soak: Soak, console: Console, notes: Sequence[str], trust: bool) -> Run:
    """Runs the next part, with a line per window above the live line."""

    def run(settings: Settings, watch: SoakWatch) -> Run:
        tell_notes(notes, console)
        console.print(HEADING, highlight=False, soft_wrap=True)
        return run_in_foreground(soak.sources, replace(settings, trust=trust), ProgressLine(console, settings), watch)

    return part_of(soak, run, lambda row: console.print(window_line(row), highlight=False, soft_wrap=True))
