"""``streamer models pull``."""

from __future__ import annotations

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from streamer.cli.suspended import cursor_shown_while_stopped
from streamer.models.importing import summary_of
from streamer.models.pull import pull


@click.command()
@click.argument("name", metavar="NAME")
def command(name: str) -> None:
    """Fetch Ultralytics' own weights NAME into the store: yolov5n, yolov8n, yolov9t, yolov10n, yolo11n, yolo12n,
    yolo26n and their larger sizes. The only command that uses the network.

    They are checked as an import is, and their hash is recorded: it is an error when it changes later.

    \b
    Examples:
      streamer models pull yolo11n
      streamer replay video.mp4 --model yolo11n --engine pytorch
    """
    console = Console(stderr=True, markup=False, emoji=False)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with (
        cursor_shown_while_stopped(console),
        Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress,
    ):
        task = progress.add_task(f"fetching {name}", total=None)
        entry, new = pull(name, lambda received, total: progress.update(task, completed=received, total=total))
    click.echo(f"{'pulled' if new else 'already there:'} {summary_of(entry)}")
