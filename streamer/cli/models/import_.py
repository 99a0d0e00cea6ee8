"""``streamer models import``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click

from streamer.cli.given_path import GivenPath
from streamer.cli.options import Parsed
from streamer.cli.trust import asking, trust_option
from streamer.models.find import model_of_entry
from streamer.models.folder import find_in
from streamer.models.importing import import_model, parse_size, summary_of
from streamer.models.input_choice import NOTHING, Declared
from streamer.models.input_option import parse_input
from streamer.models.metadata import Size
from streamer.models.model import Model


@click.command()
@click.argument("path", metavar="PATH", type=GivenPath())
@click.argument("more", metavar="", nargs=-1)
@click.option("--name", metavar="NAME", help="Its name in the store.  [default: the file's name]")
@click.option(
    "--names",
    metavar="FILE",
    type=GivenPath(),
    help="The class names: a label a line, or a metadata.yaml or data.yaml.  [default: those in the model]",
)
@click.option(
    "--imgsz",
    metavar="HxW",
    type=Parsed("imgsz", parse_size),
    help="The input of a model that takes any size, as in 480x640 or 640.  [default: the model's own, else 640]",
)
@click.option(
    "--input",
    "given",
    metavar="WORDS",
    type=Parsed("input", parse_input),
    help="How it takes its pictures: rgb or bgr; range=A..B of its numbers, with mean= and scale= of these, one "
    "number or one per colour; letterbox, letterbox-top-left, stretch or crop; pad=GRAY.  [default: as its metadata "
    "says, else as models with its head do]",
)
@click.option(
    "--with",
    "pictures",
    metavar="PICTURE...",
    multiple=True,
    help="Images, folders or videos to try it on, with the usual preprocessings too.  [default: a drawn street]",
)
@trust_option
def command(
    path: Path,
    more: tuple[str, ...],
    name: str | None,
    names: Path | None,
    imgsz: Size | None,
    given: Declared | None,
    pictures: tuple[str, ...],
    trust: bool,
) -> None:
    """Copy the model at PATH into the store: an Ultralytics .pt, a .onnx, an OpenVINO .xml with its .bin, or the one
    in a folder, as an exporter or Geti leaves it.

    It must be a detector. It is run on a few pictures, and signs of damage are reported. Its head, classes and hash
    are recorded. A .pt is a pickle, and loading it may run code of whoever made it; ONNX and IR run none.

    \b
    Examples:
      streamer models import best.onnx --name mine
      streamer models import best.pt --imgsz 480x640 --trust
      streamer models import raw.xml --names labels.txt
      streamer models import ssd.onnx --input bgr,range=0..255,mean=127.5,scale=127.5,stretch
      streamer models import deployment --name mine --with street.jpg yard.jpg
    """
    if more and not pictures:
        raise click.UsageError(f"unexpected {more[0]}: give one PATH, and pictures after --with")
    # Loaded only here: completion and help need none of it.
    from streamer.cli.models.import_report import print_suits, say_signs, say_where
    from streamer.studies.import_trial import Trial, drawn_street, pictures_of, try_out, what_suits

    found = find_in(path)
    frames = pictures_of((*pictures, *more)) if pictures else drawn_street()
    trials: list[Trial] = []

    def examine(model: Model) -> Sequence[str]:
        trials.append(try_out(model, frames))
        return trials[-1].doubts

    attempt = partial(
        import_model,
        found.path,
        name=name or found.name,
        names_file=names,
        size=imgsz,
        given=given or NOTHING,
        beside=found.labels,
        examine=examine,
    )
    entry, new = asking(lambda trusted: attempt(trust=trusted), trust)
    click.echo(f"{'imported' if new else 'already there:'} {summary_of(entry)}")
    say_where(path, found, entry)
    if not new:
        examine(model_of_entry(entry))
    say_signs(entry, trials[-1], given=bool(pictures))
    if pictures:
        print_suits(what_suits(model_of_entry(entry), frames), entry, trials[-1])
    if new and entry.unpickled:
        click.echo(f"{path.name} needed more than known classes to be loaded: its own code was run", err=True)
