"""``streamer models list``."""

from __future__ import annotations

import json

import click
from rich.box import SIMPLE_HEAD
from rich.table import Table

from streamer.cli.terminal import output_console
from streamer.models.input_option import as_option, grouped_by_origin
from streamer.models.inventory import Listed, inventory
from streamer.models.metadata import words_of
from streamer.models.store import store_dir

HASH_DIGITS = 12


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print a list on standard output, and nothing else there.")
def command(as_json: bool) -> None:
    """List the models that --model takes by name: the bundled one, and those that were imported or pulled.

    Every file is checked by its hash; a broken entry says what to do. A second table has how each takes its pictures,
    in the words of models import --input, and what states that.

    \b
    Examples:
      streamer models list
      streamer models list --json
    """
    rows = inventory()
    if as_json:
        click.echo(json.dumps([row.as_json() for row in rows], indent=2, ensure_ascii=False))
        return
    console = output_console()
    console.print(_table(rows))
    console.print(_inputs(rows))
    for row in rows:
        if row.broken is not None:
            console.print(row.broken, style="red", highlight=False, markup=False, soft_wrap=True)
    console.print(
        f"the store is {store_dir()}: deleting a directory there forgets its model",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )


def _table(rows: list[Listed]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("name", overflow="fold")
    for heading in ("head", "classes", "input", "formats", "MB", "sha256"):
        table.add_column(heading, justify="right" if heading in ("classes", "MB") else "left", no_wrap=True)
    for row in rows:
        model = row.model
        if model is None:
            continue
        formats = [*sorted(row.own), *(f"{kind} (made)" for kind in sorted(row.made))]
        table.add_row(
            f"{row.name}\n{row.origin}",  # below each other: 80 columns are not many
            model.head.replace("+", "+\n"),
            str(model.classes or ""),
            words_of(model.input_size),
            "\n".join(formats),
            f"{row.bytes / 1e6:.1f}",
            model.sha256[:HASH_DIGITS],
        )
    return table


def _inputs(rows: list[Listed]) -> Table:
    """How each model takes its pictures, and what states that."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for heading in ("name", "takes pictures as", "stated by"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        if row.model is None:
            continue
        groups = grouped_by_origin(row.model.input, row.model.input_by)
        sources = [
            source if len(groups) == 1 else f"{', '.join(parts)}: {source}" for source, parts in groups.items()
        ]
        table.add_row(row.name, as_option(row.model.input).replace(",", ", "), "\n".join(sources))
    return table
