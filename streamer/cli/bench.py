"""``streamer bench``."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from streamer.cli.bench_report import lines_of, print_report, with_progress
from streamer.cli.completion import complete_files
from streamer.cli.exit_codes import EXIT_DONE, exit_of_signal
from streamer.cli.options import engines_options, model_options, output_options
from streamer.cli.progress import tell_notes
from streamer.cli.terminal import output_console, progress_console
from streamer.cli.trust import find_model_asking
from streamer.files.whole import write_whole
from streamer.rundir.paths import default_path
from streamer.studies.bench.chart import PICTURE, draw_bench
from streamer.studies.bench.document import NAME, document_of
from streamer.studies.bench.input import Feed, bundled_clip
from streamer.studies.bench.rows import AGAINST, COLUMNS, Benched, as_dict
from streamer.studies.bench.study import Bench, BenchSettings
from streamer.studies.engine_choice import asked_engines
from streamer.studies.free_place import of_study
from streamer.studies.output import RowFile
from streamer.studies.successor import Kind, successor
from streamer.workers.stopping import Interrupted

FILES = Kind(NAME, (f"{NAME}.csv", PICTURE, f"{NAME}.json"), ours=of_study(NAME, COLUMNS))


@click.command()
@click.argument("image", metavar="[IMAGE]", required=False, shell_complete=complete_files)
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
    rows: list[Benched] = []
    interrupted: str | None = None
    with successor(FILES, out, overwrite=options["overwrite"]) as place:
        try:
            study = Bench(image, find_model_asking(options["model"], options["trust"]), settings)
            with closing(RowFile(place.path / f"{NAME}.csv", COLUMNS, overwrite=options["overwrite"])) as file:
                console = progress_console(quiet=quiet)
                tell_notes(place.notes, console)
                for row in with_progress(study, console):
                    file.append(as_dict(row).values())
                    rows.append(row)
                    for line in () if as_json or quiet else lines_of(row):
                        click.echo(line)
        except Interrupted as error:
            interrupted = error.reason
        if rows:
            document = document_of(study, rows, interrupted=interrupted is not None)
            write_whole(place.path / f"{NAME}.json", json.dumps(document, indent=2, ensure_ascii=False) + "\n")
            draw_bench(place.path, document)
            if interrupted is None:
                place.take_over()
    if rows and as_json:
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    elif rows and not quiet:
        print_report(document, place.path, output_console())
    return EXIT_DONE if interrupted is None else exit_of_signal(interrupted)
