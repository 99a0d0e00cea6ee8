"""``streamer bench``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import click

from streamer.cli.bench_report import lines_of, print_report, with_progress
from streamer.cli.completion import complete_files
from streamer.cli.exit_codes import EXIT_DONE, exit_of_signal
from streamer.cli.options import engines_options, model_options, output_options, own_options
from streamer.cli.progress import tell_notes
from streamer.cli.terminal import output_console, progress_console
from streamer.cli.trust import find_model_asking
from streamer.studies.bench.conduct import conduct
from streamer.studies.bench.input import Feed
from streamer.studies.bench.rows import Against, Benched
from streamer.studies.bench.study import BENCH_OPTIONS, Bench, BenchSettings
from streamer.studies.engine_choice import requested_engines


@click.command()
@click.argument("image", metavar="[IMAGE]", required=False, shell_complete=complete_files)
@engines_options("tutorial")
@model_options
@own_options(BENCH_OPTIONS, BENCH_OPTIONS)
@output_options(
    "The directory for the results.",
    "Write into a directory that is not empty, and replace what was measured there.",
    "bench.json",
)
def command(image: str | None, as_json: bool, quiet: bool, **options: Any) -> int:
    """The benchmark of OpenVINO's latency tutorial: one image, the first inference by itself, then many in a row.

    IMAGE is an image file; the default is the first frame of the bundled clip. It is resized to the model's input.
    The engines run one after the other in a closed loop, and only the inference is timed. To measure what a camera
    sees at its pace, or whether a small difference is real, use compare.

    \b
    Examples:
      streamer bench
      streamer bench dog.jpg --model yolov5n.onnx --input tutorial
      streamer bench --engine ir --engine ir-auto-shared --number 200 --against benchmark_app
    """
    settings = BenchSettings(
        engines=requested_engines(options["engines"], options["group"], default="tutorial"),
        number=options["number"],
        feed=Feed(options["feed"]),
        against=options["against"] and Against(options["against"]),
    )
    console = progress_console(quiet=quiet)

    def watched(study: Bench, notes: Sequence[str]) -> Iterator[Benched]:
        tell_notes(notes, console)
        for row in with_progress(study, console):
            yield row
            for line in () if as_json or quiet else lines_of(row):
                click.echo(line)

    model = partial(find_model_asking, options["model"], options["trust"])
    done = conduct(image, model, settings, options["out"], watched, overwrite=options["overwrite"])
    if as_json:
        click.echo(json.dumps(done.document, indent=2, ensure_ascii=False))
    elif not quiet:
        print_report(done.document, done.directory, output_console())
    return EXIT_DONE if done.interrupted is None else exit_of_signal(done.interrupted)
