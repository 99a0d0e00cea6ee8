"""``streamer models export``."""

from __future__ import annotations

import click

from streamer.cli.completion import complete_model
from streamer.cli.trust import find_model_asking, trust_option
from streamer.models.exporting import Form, export


@click.command()
@click.argument("model", metavar="NAME|PATH", shell_complete=complete_model)
@click.option("--to", type=click.Choice([form.value for form in Form]), required=True, help="What to make.")
@trust_option
def command(model: str, to: str, trust: bool) -> None:
    """Make a model's ONNX file from its .pt, or its IR (FP16 weights) from its ONNX file, and print its path.

    It is kept in the user's cache under the hash of the file it was made from. Engines that need it find it there.

    \b
    Examples:
      streamer models export yolo11n --to onnx
      streamer models export best.pt --to ir --trust
    """
    path, new = export(find_model_asking(model, trust), Form(to))
    click.echo(f"{path}{'' if new else ' (already there)'}")
