"""``streamer models``: a command in each file."""

from __future__ import annotations

import click

from streamer.cli.lazy_group import LazyGroup

COMMANDS = {
    "list": ("streamer.cli.models.list_", "List the bundled model and those of the store."),
    "import": ("streamer.cli.models.import_", "Take a .onnx, OpenVINO .xml or .pt into the store, by name."),
    "export": ("streamer.cli.models.export", "Make a model's ONNX file or IR."),
    "quantize": ("streamer.cli.models.quantize", "Make a model's INT8 form, calibrated on a video."),
    "pull": ("streamer.cli.models.pull", "Fetch Ultralytics' own weights; the only command that uses the network."),
}


class Commands(LazyGroup):
    """Those of ``streamer models``."""

    table = COMMANDS


@click.group(cls=Commands)
def command() -> None:
    """List, import, export and pull models: what --model takes by name.

    \b
    Examples:
      streamer models list
      streamer models import best.onnx --name mine
      streamer replay video.mp4 --model mine
    """
