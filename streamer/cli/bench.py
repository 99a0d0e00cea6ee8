"""``streamer bench``."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from streamer.cli.bench_report import lines_of, print_report, with_progress
from streamer.cli.exit_codes import EXIT_DONE, EXIT_SIGNAL
from streamer.cli.options import engines_options, model_options, output_options
from streamer.cli.signals import Interrupted
from streamer.cli.terminal import progress_console
from streamer.cli.trust import find_model_asking
from streamer.files.whole import write_whole
from streamer.rundir.paths import default_path
from streamer.rundir.rundir import check_out
from streamer.studies.bench.chart import draw_bench
from streamer.studies.bench.document import NAME, document_of
from streamer.studies.bench.input import Feed, bundled_clip
from streamer.studies.bench.rows import AGAINST, COLUMNS, Benched, as_dict
from streamer.studies.bench.study import Bench, BenchSettings
from streamer.studies.engine_choice import asked_engines
from streamer.studies.output import RowFile


@click.command()
@click.argument("image", metavar="[IMAGE]", required=False)
@engines_options("tutorial")
@model_options
@click.option(
    "--number",
    metavar="N",
    type=int,
    default=1000,
    show_default=True,
    help="Inferences in a row, after the first.",
)
@click.option(
    "--input",
    "feed",
    type=click.Choice([feed.value for feed in Feed]),
    default=Feed.FLOAT32.value,
    show_default=True,
    help="What goes in: float32 everywhere, or float64 where the tutorial had it.",
)
@click.option(
    "--against",
    type=click.Choice([AGAINST]),
    help="Run OpenVINO's own program on the same IR as well, beside ir.",
)
@output_options(
    "The directory for the results.",
    "Write into a directory that is not empty, and replace what was measured there.",
    "bench.json",
)
def command(image: str | None, as_json: bool, quiet: bool, **options: Any) -> int:
    """The benchmark of OpenVINO's latency tutorial: one image, the first inference apart, then many in a row.

    IMAGE is an image file, without it the first frame of the bundled clip. It is resized to what the model takes. The
    engines run one after the other in a closed loop, and only the inference is timed: what a camera at its pace sees
    is told by compare, and so is which small difference is one.

    \b
    Examples:
      streamer bench
      streamer bench dog.jpg --model yolov5n.onnx --input tutorial
      streamer bench --engine ir --engine ir-auto-shared --number 200 --against benchmark_app
    """
    started = datetime.now(UTC)
    group = options["group"] or (None if options["engines"] else "tutorial")
    settings = BenchSettings(
        engines=asked_engines(options["engines"], group),
        number=options["number"],
        feed=Feed(options["feed"]),
        against=options["against"] is not None,
    )
    out: Path = options["out"] or default_path(started, image or bundled_clip(), NAME)
    check_out(out, overwrite=options["overwrite"])
    rows: list[Benched] = []
    interrupted: int | None = None
    try:
        study = Bench(image, find_model_asking(options["model"], options["trust"]), settings)
        with closing(RowFile(out / f"{NAME}.csv", COLUMNS, overwrite=options["overwrite"])) as file:
            for row in with_progress(study, progress_console(quiet=quiet)):
                file.append(as_dict(row).values())
                rows.append(row)
                for line in () if as_json or quiet else lines_of(row):
                    click.echo(line)
    except Interrupted as error:
        interrupted = error.number
    if rows:
        document = document_of(study, rows, interrupted=interrupted is not None)
        write_whole(out / f"{NAME}.json", json.dumps(document, indent=2, ensure_ascii=False) + "\n")
        draw_bench(out, document)
        if as_json:
            click.echo(json.dumps(document, indent=2, ensure_ascii=False))
        elif not quiet:
            print_report(document, out, Console())
    return EXIT_DONE if interrupted is None else EXIT_SIGNAL + interrupted
