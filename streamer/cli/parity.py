"""``streamer parity``."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from streamer.cli.completion import complete_files
from streamer.cli.exit_codes import EXIT_DONE, EXIT_VERDICT, exit_of_signal
from streamer.cli.given_path import GivenPath
from streamer.cli.options import (
    Parsed,
    complete_engine,
    detection_options,
    engines_options,
    model_options,
    output_options,
    video_stream_option,
)
from streamer.cli.parity_report import as_document, print_report, with_progress
from streamer.cli.progress import tell_notes
from streamer.cli.terminal import output_console, progress_console
from streamer.cli.trust import find_model_asking
from streamer.detection.input_spec import Fit
from streamer.engines.spec_parser import parse_spec
from streamer.rundir.paths import default_path
from streamer.rundir.rundir import check_out
from streamer.studies.engine_choice import asked_engines
from streamer.studies.output import RowFile
from streamer.studies.parity.parity_csv import COLUMNS, FILE, as_dict
from streamer.studies.parity.rows import EngineParity, missed
from streamer.studies.parity.study import Parity, ParitySettings
from streamer.studies.successor import Kind, successor
from streamer.workers.stopping import Interrupted

FILES = Kind("parity", (FILE,))


@click.command()
@click.argument("source", metavar="SOURCE", shell_complete=complete_files)
@engines_options("all")
@click.option(
    "--reference",
    metavar="SPEC",
    type=Parsed("reference", parse_spec),
    shell_complete=complete_engine,
    help="What the others are compared with.  [default: the first that can run of onnx, ir (in f32), pytorch]",
)
@model_options
@video_stream_option
@click.option(
    "--frames",
    metavar="N",
    type=int,
    default=100,
    show_default=True,
    help="How many frames are compared, spread evenly over the source; of an endless one the first N.",
)
@click.option(
    "--truth",
    metavar="FILE.json",
    type=GivenPath(),
    help="Ground truth as COCO JSON.  [default: the synthetic street's own]",
)
@click.option(
    "--min-agreement",
    metavar="A",
    type=float,
    default=0.9,
    show_default=True,
    help="Exit code 3 when an engine's agreement with the reference is under this share.",
)
@detection_options
@output_options(
    f"The directory for {FILE}.", f"Write into a directory that is not empty, and replace its {FILE}.", "the result"
)
def command(source: str, as_json: bool, quiet: bool, **options: Any) -> int:
    """Do the engines agree? Compare each one's detections with the reference engine's on the same frames of SOURCE.

    Agreement is the share of the reference's detections with a confidence over 0.4 that the engine matches, by class
    and with an IoU of 0.5 or more, and the reverse; the smaller of the two. Where there is ground truth, mAP50 and
    mAP50-95 of each engine stand beside it.

    \b
    Examples:
      streamer parity video.mp4
      streamer parity video.mp4 --engines tutorial --min-agreement 0.98
      streamer parity synthetic:street,seed=7 --engine ir --engine ir,precision=f32
      streamer parity images/ --model mine.onnx --truth instances.json
    """
    settings = ParitySettings(
        engines=asked_engines(options["engines"], options["group"]),
        reference=options["reference"],
        frames=options["frames"],
        truth=options["truth"],
        min_agreement=options["min_agreement"],
        confidence=options["confidence"],
        iou=options["iou"],
        fit=None if options["fit"] is None else Fit(options["fit"]),
        video_stream=options["video_stream"],
    )
    out: Path = options["out"] or default_path(datetime.now(UTC), source, "parity")
    check_out(out, overwrite=options["overwrite"])
    rows: list[EngineParity] = []
    interrupted: str | None = None
    with successor(FILES, out, overwrite=options["overwrite"]) as place:
        try:
            study = Parity(source, find_model_asking(options["model"], options["trust"]), settings)
            with closing(RowFile(place.path / FILE, COLUMNS, overwrite=options["overwrite"])) as file:
                console = progress_console(quiet=quiet)
                tell_notes([*place.notes, *study.frames.info.notes], console)
                for row in with_progress(study, console):
                    file.append(as_dict(row).values())
                    rows.append(row)
        except Interrupted as error:
            interrupted = error.reason
        else:
            place.take_over()
    if rows and as_json:
        document = {**as_document(study, rows, place.path), "interrupted": interrupted is not None}
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    elif rows and not quiet:
        print_report(study, rows, place.path, output_console())
    if interrupted is not None:
        return exit_of_signal(interrupted)
    return EXIT_VERDICT if missed(rows) else EXIT_DONE
