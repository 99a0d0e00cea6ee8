"""``streamer sample``."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import click
from rich.progress import Progress

from streamer.cli.given_path import GivenPath
from streamer.cli.options import Parsed
from streamer.cli.suspended import cursor_shown_while_stopped
from streamer.cli.terminal import progress_console
from streamer.errors import UsageError
from streamer.schedule.schedule import parse_fps
from streamer.street.clip import truth_path, write_sample
from streamer.street.scene import Street
from streamer.units import parse_duration


def parse_rate(text: str) -> Fraction:
    """Frames per second, as `parse_fps` reads them. Raises UsageError, also for ``source`` and ``max``."""
    rate = parse_fps(text)
    if isinstance(rate, str):
        raise UsageError(f"--fps {text}: give frames per second, as in 30 or 30000/1001")
    return rate


@click.command()
@click.argument("clip", metavar="CLIP.mp4", type=GivenPath())
@click.option(
    "--seed",
    metavar="N",
    type=click.IntRange(min=0),
    default=7,
    show_default=True,
    help="Which street: its layout, weather, camera and traffic.",
)
@click.option(
    "--duration",
    metavar="TIME",
    type=Parsed("duration", parse_duration),
    default="10s",
    show_default=True,
    help="Length, as in 90s or 10m.",
)
@click.option(
    "--fps",
    metavar="N",
    type=Parsed("fps", parse_rate),
    default="30",
    show_default=True,
    help="Frames per second.",
)
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def command(clip: Path, **options: Any) -> None:
    """Write a clip of the synthetic street to CLIP.mp4, and its ground truth to CLIP.json beside it.

    The ground truth is a COCO detection file: category_id is the index among COCO's 80 classes, image_id the frame.
    The same seed, duration and rate always give the same street.

    \b
    Examples:
      streamer sample street.mp4
      streamer sample dusk.mp4 --seed 11 --duration 1m --fps 15
    """
    rate: Fraction = options["fps"]
    frames = max(1, round(Fraction(options["duration"]) * rate))
    console = progress_console(quiet=options["quiet"])
    with (
        cursor_shown_while_stopped(console),
        Progress(console=console, transient=True, disable=not console.is_terminal) as progress,
    ):
        task = progress.add_task("painting", total=frames)
        write_sample(
            clip,
            Street(options["seed"]),
            frames,
            rate,
            overwrite=options["overwrite"],
            advance=lambda: progress.advance(task),
        )
    if not options["quiet"]:
        click.echo(f"{clip}: {frames} frames at {rate} a second; ground truth in {truth_path(clip)}")
