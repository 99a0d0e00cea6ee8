"""``streamer engines``."""

from __future__ import annotations

import json

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from streamer.engines.opening import unavailable
from streamer.engines.spec import VARIANTS, Runtime, known_keys
from streamer.models import find_model


@click.command()
@click.option("--model", metavar="NAME|PATH", help="Say what can run this model.  [default: the bundled one]")
@click.option("--json", "as_json", is_flag=True, help="Print a list on standard output, and nothing else there.")
def command(model: str | None, as_json: bool) -> None:
    """List the engine variants: what each is, and whether it can run here.

    \b
    Examples:
      streamer engines
      streamer engines --model mine.onnx
    """
    found = find_model(model)
    rows = [(spec, unavailable(spec, found)) for spec in VARIANTS.values()]
    if as_json:
        click.echo(
            json.dumps(
                [
                    {"variant": spec.variant, "about": spec.about, "device": spec.device, "unavailable": why}
                    for spec, why in rows
                ],
                indent=2,
            )
        )
        return
    table = Table(title=f"engines for model {found.name}", title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("variant", "what it is", "runs here"):
        table.add_column(heading)
    for spec, why in rows:
        # Text, not markup: 'streamer[torch]' is no style.
        table.add_row(spec.variant, spec.about, Text("yes" if why is None else f"no: {why}"))
    console = Console()
    console.print(table)
    for runtime in Runtime:
        takes = ", ".join(spec.variant for spec in VARIANTS.values() if spec.runtime is runtime)
        console.print(f"{takes}: refined by {known_keys(runtime)}", highlight=False, markup=False)
