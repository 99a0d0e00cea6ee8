"""``streamer models import``."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from streamer.cli.options import Parsed
from streamer.cli.trust import asking, trust_option
from streamer.models.importing import import_model, parse_size, summary_of
from streamer.models.metadata import Size


@click.command()
@click.argument("path", metavar="PATH", type=click.Path(path_type=Path))
@click.option("--name", metavar="NAME", help="What to call it.  [default: the file's name]")
@click.option(
    "--names",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The class names: a label a line, or a metadata.yaml or data.yaml.  [default: those in the model]",
)
@click.option(
    "--imgsz",
    metavar="HxW",
    type=Parsed("imgsz", parse_size),
    help="The input of a model that takes any size, as in 480x640 or 640.  [default: the model's own, else 640]",
)
@trust_option
def command(path: Path, name: str | None, names: Path | None, imgsz: Size | None, trust: bool) -> None:
    """Take the model at PATH into the store: an Ultralytics .pt, a .onnx, or an OpenVINO .xml with its .bin.

    It is checked to be a detector and run once; its head, classes and hash are recorded, and it is copied. A .pt
    is a pickle, and loading it may run code of whoever made it; ONNX and IR run none.

    \b
    Examples:
      streamer models import best.onnx --name mine
      streamer models import best.pt --imgsz 480x640 --trust
      streamer models import raw.xml --names labels.txt
    """
    attempt = partial(import_model, path, name=name, names_file=names, size=imgsz)
    entry, new = asking(lambda trusted: attempt(trust=trusted), trust)
    click.echo(f"{'imported' if new else 'already there:'} {summary_of(entry)}")
    if new and entry.unpickled:
        click.echo(f"{path.name} needed more than known classes to be loaded: its own code was run", err=True)
