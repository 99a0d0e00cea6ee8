"""``streamer parity``."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from streamer.cli.parameters import Parsed, complete_engine, detection_options
from streamer.cli.parity_report import as_document, print_report, with_progress
from streamer.cli.trust import find_model_asking, trust_option
from streamer.engines.recipe import parse_spec
from streamer.preprocess import Fit
from streamer.rundir import check_out, default_path
from streamer.studies.asked import GROUPS, asked_engines
from streamer.studies.parity import Parity, ParitySettings
from streamer.studies.parity_result import EngineParity, missed
from streamer.studies.parity_rows import FILE, ParityFile

EXIT_DISAGREES = 3
EXIT_SIGNAL = 128
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(BaseException):
    """SIGINT or SIGTERM came."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@click.command()
@click.argument("source", metavar="SOURCE")
@click.option(
    "--engine",
    "engines",
    metavar="SPEC",
    type=Parsed("engine", parse_spec),
    shell_complete=complete_engine,
    multiple=True,
    help="An engine to compare, as in ir,threads=1; may be repeated.",
)
@click.option(
    "--engines",
    "group",
    type=click.Choice(GROUPS),
    help="Those of the tutorial, or every one but null.  [default: all, without --engine]",
)
@click.option(
    "--reference",
    metavar="SPEC",
    type=Parsed("reference", parse_spec),
    shell_complete=complete_engine,
    help="What the others are compared with.  [default: the first that can run of onnx, ir (in f32), pytorch]",
)
@click.option("--model", metavar="NAME|PATH", help="The detector: a .onnx, .xml or .pt.  [default: the bundled one]")
@trust_option
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
    type=click.Path(path_type=Path),
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
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help=f"Where {FILE} is written.  [default: a new directory in runs/]",
)
@click.option("--overwrite", is_flag=True, help=f"Write into a directory that is not empty, and replace its {FILE}.")
@click.option("--json", "as_json", is_flag=True, help="Print the result on standard output, and nothing else there.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
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
        confidence=options["conf"],
        iou=options["iou"],
        fit=Fit(options["fit"]),
    )
    out: Path = options["out"] or default_path(datetime.now(UTC), source, "parity")
    check_out(out, overwrite=options["overwrite"])
    rows: list[EngineParity] = []
    interrupted: int | None = None
    try:
        with _interrupted_by_signals():
            study = Parity(source, find_model_asking(options["model"], options["trust"]), settings)
            with closing(ParityFile(out, overwrite=options["overwrite"])) as file:
                for row in with_progress(study, Console(stderr=True, quiet=quiet)):
                    file.append(row)
                    rows.append(row)
    except Interrupted as error:
        interrupted = error.number
    if rows and as_json:
        document = {**as_document(study, rows, out), "interrupted": interrupted is not None}
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    elif rows and not quiet:
        print_report(study, rows, out, Console())
    if interrupted is not None:
        return EXIT_SIGNAL + interrupted
    return EXIT_DISAGREES if missed(rows) else 0


@contextmanager
def _interrupted_by_signals() -> Iterator[None]:
    """The first SIGINT or SIGTERM ends the study, and what it has is shown; a second one ends the process at once."""

    def interrupt(number: int, _: object) -> None:
        for each in SIGNALS:
            signal.signal(each, signal.SIG_DFL)
        raise Interrupted(number)

    before = [signal.signal(number, interrupt) for number in SIGNALS]
    try:
        yield
    finally:
        for number, handler in zip(SIGNALS, before, strict=True):
            signal.signal(number, handler)
