"""``streamer replay``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import click

from streamer.cli.completion import complete_files
from streamer.cli.exit_codes import EXIT_DONE, EXIT_VERDICT, exit_of_signal
from streamer.cli.foreground import run_in_foreground
from streamer.cli.options import (
    detection_options,
    endurance_options,
    engine_option,
    freshness_options,
    given_settings,
    length_options,
    model_options,
    option_of,
    output_options,
    pace_options,
    pacing_options,
    picture_options,
    streams_option,
    video_stream_option,
)
from streamer.cli.progress import ProgressLine
from streamer.cli.replay_report import print_report
from streamer.cli.terminal import output_console, progress_console
from streamer.cli.trust import asking
from streamer.run.finished import Run
from streamer.settings.settings import Settings
from streamer.settings.video import Video


@click.command()
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True, shell_complete=complete_files)
@engine_option
@model_options
@video_stream_option
@streams_option
@pace_options
@pacing_options
@freshness_options
@length_options
@endurance_options
@option_of("until")
@detection_options
@picture_options(Video.DELIVERED)
@output_options("The run directory.", "Replace the run in a directory that is not empty.", "run.json")
def command(sources: tuple[str, ...], as_json: bool, quiet: bool, **options: Any) -> int:
    """Play SOURCE at the camera's pace through one engine, and measure every frame.

    SOURCE is a video file, an image, a folder of images, camera:N, an rtsp:// or http:// address, or
    synthetic:street[,seed=7], which is endless. Several SOURCEs are as many cameras that share the engine.

    Writes a run directory: frames.csv (a row per scheduled frame), detections.csv, annotated.mp4, latency.png and
    run.json.

    \b
    Examples:
      streamer replay video.mp4
      streamer replay video.mp4 --engine onnx --model mine.onnx --fps 30
      streamer replay video.mp4 --fps max --video none      # a closed loop, as benchmarks do
      streamer replay video.mp4 --engine null,delay_ms=20   # the harness itself
      streamer replay video.mp4 --loop --until p99.9 --slo 'latency.p99.9<50ms,drops<0.1%'
      streamer replay video.mp4 --arrivals bursty --max-age 100
      streamer replay video.mp4 --streams 4                 # four cameras on one engine
    """
    settings = given_settings(options)
    finished = asking(partial(_finished, sources, settings, quiet), settings.trust)
    if as_json:
        click.echo(json.dumps(finished.manifest, indent=2, ensure_ascii=False))
    elif not quiet:
        print_report(finished, output_console())
    return exit_code(finished)


def _finished(sources: Sequence[str], settings: Settings, quiet: bool, trust: bool) -> Run:
    line = ProgressLine(progress_console(quiet=quiet), settings)
    return run_in_foreground(sources, replace(settings, trust=trust), line)


def exit_code(finished: Run) -> int:
    """The exit code of a run, one of EXIT_CODES. Raises the error of a run that failed."""
    if finished.failure is not None:
        raise finished.failure
    if finished.interrupted is not None:
        return exit_of_signal(finished.interrupted)
    done = finished.manifest["verdict"] == "VALID" and finished.manifest["slo"] != "missed"
    return EXIT_DONE if done else EXIT_VERDICT
