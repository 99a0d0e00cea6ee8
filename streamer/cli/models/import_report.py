"""The report of ``streamer models import``: what a model finds in the pictures that it is tried on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from streamer.models.folder import Found
from streamer.models.input_option import as_option
from streamer.models.store import Entry, place_of
from streamer.studies.import_trial import Suits, Trial

MOST_ROWS = 8
CLEARLY = 1.1
"""A preprocessing is better from so many times the surety on."""


def say_where(given: Path, found: Found, entry: Entry) -> None:
    """Prints which file of a folder was imported, and where its class names are from."""
    if found.path == given:
        return
    labels = found.labels
    named = "" if labels is None or labels.names != entry.names else f", names from {_below(labels.path, given)}"
    others = f"; {found.others} others in folders below are left alone" if found.others else ""
    click.echo(f"it is {_below(found.path, given)}{named}{others}")


def _below(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def say_signs(entry: Entry, trial: Trial, *, given: bool) -> None:
    """Prints doubts and signs of damage on standard error, and a note when nothing was found.

    ``given``: the pictures are the user's.
    """
    for doubt in entry.doubts:
        click.echo(f"streamer: {entry.name}: {doubt}", err=True)
    for sign in trial.signs:
        click.echo(f"streamer: {entry.name} looks damaged: {sign}", err=True)
    if trial.found or trial.signs:
        return
    where = f"in {trial.pictures} pictures" if given else "in a drawn street"
    mend = "" if given else "; --with PICTURE tries your own, and the usual preprocessings"
    click.echo(f"note: it found nothing {where}, which may show nothing that it knows{mend}")


def print_suits(rows: Sequence[Suits], entry: Entry, trial: Trial) -> None:
    """Prints a line for each preprocessing that finds something, most first, and which of them to use."""
    own = next((row for row in rows if row.spec == entry.input), None)
    shown = [row for row in rows if row.found][:MOST_ROWS]
    shown += [own] if own is not None and own not in shown else []
    click.echo(f"what it finds in {trial.pictures} pictures, by preprocessing:")
    click.echo("objects  mean confidence  --input")
    for row in shown:
        marks = ["as imported"] * (row is own) + ["as many as are kept, so they are none"] * row.flooded
        mark = f"  ({'; '.join(marks)})" if marks else ""
        click.echo(f"{row.found:7}  {row.mean:15.2f}  {as_option(row.spec)}{mark}")
    if trial.signs:
        return  # the detections of a damaged model say nothing about its preprocessing
    best = next((row for row in rows if row.found and not row.flooded), None)
    if best is None:
        return
    if own is not None and not own.flooded and not _better(best, own):
        click.echo("none of the usual ones finds clearly more, as surely, than its own")
        return
    click.echo(
        f"most is found with --input '{as_option(best.spec)}': look at its boxes, and to set that, delete "
        f"{place_of(entry.name)} and import it again with it"
    )


def _better(best: Suits, own: Suits) -> bool:
    """It finds clearly more, and is as sure: pictures that a model does not understand may be full of objects."""
    return best.surety > CLEARLY * own.surety and best.mean >= own.mean
