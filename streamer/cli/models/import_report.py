"""What ``streamer models import`` says of the pictures that it tried a model on."""

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
"""Another preprocessing finds more where it is so many times as sure."""


def say_where(given: Path, found: Found, entry: Entry) -> None:
    """Which file of a folder was taken, and whose names."""
    if found.path == given:
        return
    labels = found.labels
    named = "" if labels is None or labels.names != entry.names else f", names from {_below(labels.path, given)}"
    others = f"; {found.others} others in folders below are left alone" if found.others else ""
    click.echo(f"it is {_below(found.path, given)}{named}{others}")


def _below(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def say_signs(entry: Entry, trial: Trial, *, given: bool) -> None:
    """What is to be doubted, on standard error; that nothing was found is a note. ``given``: the pictures were."""
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
    """A line for each preprocessing that finds something, most first, and which of them to take."""
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
        return  # what a damaged model finds tells nothing of its preprocessing
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
    """It finds clearly more, and is as sure: a picture that a model does not understand may be full of objects."""
    return best.surety > CLEARLY * own.surety and best.mean >= own.mean
