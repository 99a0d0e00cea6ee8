"""``streamer engines``."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click
from rich.box import SIMPLE_HEAD
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from streamer.cli.terminal import output_console, progress_console
from streamer.cli.trust import find_model_asking, trust_option
from streamer.engines.config import precision_of
from streamer.engines.spec_parser import known_keys
from streamer.engines.variants import VARIANTS, Runtime

if TYPE_CHECKING:
    from streamer.studies.engine_survey import Surveyed


@click.command()
@click.option("--model", metavar="NAME|PATH", help="Say what can run this model.  [default: the bundled one]")
@trust_option
@click.option("--json", "as_json", is_flag=True, help="Print a list on standard output, and nothing else there.")
def command(model: str | None, trust: bool, as_json: bool) -> None:
    """List the engine variants: what each is, whether it can run here, and which come out as one configuration.

    Each of OpenVINO's is compiled for the model, which takes a second or so.

    \b
    Examples:
      streamer engines
      streamer engines --model mine.onnx
    """
    from streamer.studies.engine_survey import survey

    found = find_model_asking(model, trust)
    progress = Progress(console=progress_console(), transient=True, disable=not sys.stderr.isatty())
    with progress:
        task = progress.add_task("", total=len(VARIANTS))
        rows = survey(found, lambda name: progress.update(task, description=name, advance=1))
    if as_json:
        documents = [
            {
                "variant": row.spec.variant,
                "about": row.spec.about,
                "device": row.spec.device,
                "unavailable": row.unavailable,
                "same_as": row.same_as,
                "config_in_force": row.config_in_force,
            }
            for row in rows
        ]
        click.echo(json.dumps(documents, indent=2))
        return
    table = Table(title=f"engines for model {found.name}", title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("variant", "what it is", "runs here"):
        table.add_column(heading)
    for row in rows:
        # Text, not markup: 'streamer[torch]' is no style.
        table.add_row(row.spec.variant, row.spec.about, Text(_runs(row)))
    console = output_console()
    console.print(table)
    for runtime in Runtime:
        takes = ", ".join(spec.variant for spec in VARIANTS.values() if spec.runtime is runtime)
        console.print(f"{takes}: refined by {known_keys(runtime)}", highlight=False, markup=False)


def _runs(row: Surveyed) -> str:
    if row.unavailable is not None:
        return f"no: {row.unavailable}"
    if row.same_as is not None:
        return f"yes, same as {row.same_as}"
    precision = precision_of(row.config_in_force or {})
    return f"yes, in {precision}" if precision else "yes"
