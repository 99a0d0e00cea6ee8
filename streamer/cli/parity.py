"""``streamer parity``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import click

from streamer.cli.completion import complete_files
from streamer.cli.exit_codes import EXIT_DONE, EXIT_VERDICT, exit_of_signal
from streamer.cli.options import (
    detection_options,
    engines_options,
    model_options,
    output_options,
    own_options,
    video_stream_option,
)
from streamer.cli.parity_report import print_report, with_progress
from streamer.cli.progress import tell_notes
from streamer.cli.terminal import output_console, progress_console
from streamer.cli.trust import find_model_asking
from streamer.detection.input_spec import Fit
from streamer.studies.engine_choice import requested_engines
from streamer.studies.parity.conduct import conduct
from streamer.studies.parity.parity_csv import FILE
from streamer.studies.parity.rows import EngineParity
from streamer.studies.parity.study import PARITY_OPTIONS, Parity, ParitySettings


@click.command()
@click.argument("source", metavar="SOURCE", shell_complete=complete_files)
@engines_options("all")
@own_options(PARITY_OPTIONS, ["reference"])
@model_options
@video_stream_option
@own_options(PARITY_OPTIONS, ["frames", "truth", "min_agreement"])
@detection_options
@output_options(
    f"The directory for {FILE}.", f"Write into a directory that is not empty, and replace its {FILE}.", "the result"
)
def command(source: str, as_json: bool, quiet: bool, **options: Any) -> int:
    """Do the engines agree? Compare each one's detections with the reference engine's on the same frames of SOURCE.

    Agreement is the smaller of two shares: of the reference's detections with a confidence over 0.4 that the engine
    matches, by class and with an IoU of 0.5 or more, and the reverse. With ground truth, mAP50 and mAP50-95 of each
    engine are shown as well.

    \b
    Examples:
      streamer parity video.mp4
      streamer parity video.mp4 --engines tutorial --min-agreement 0.98
      streamer parity synthetic:street,seed=7 --engine ir --engine ir,precision=f32
      streamer parity images/ --model mine.onnx --truth instances.json
    """
    settings = ParitySettings(
        engines=requested_engines(options["engines"], options["group"]),
        reference=options["reference"],
        frames=options["frames"],
        truth=options["truth"],
        min_agreement=options["min_agreement"],
        confidence=options["confidence"],
        iou=options["iou"],
        fit=None if options["fit"] is None else Fit(options["fit"]),
        video_stream=options["video_stream"],
    )
    console = progress_console(quiet=quiet)

    def watched(study: Parity, notes: Sequence[str]) -> Iterator[EngineParity]:
        tell_notes(notes, console)
        yield from with_progress(study, console)

    model = partial(find_model_asking, options["model"], options["trust"])
    done = conduct(source, model, settings, options["out"], watched, overwrite=options["overwrite"])
    if as_json:
        click.echo(json.dumps(done.document, indent=2, ensure_ascii=False))
    elif not quiet:
        print_report(done, output_console())
    if done.interrupted is not None:
        return exit_of_signal(done.interrupted)
    return EXIT_VERDICT if done.missed else EXIT_DONE
