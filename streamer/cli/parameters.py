"""Parameter types and options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from streamer.engines.spec import VARIANTS
from streamer.errors import UsageError
from streamer.preprocess import Fit

Command = TypeVar("Command", bound=Callable[..., Any])


class Parsed(click.ParamType[Any]):
    """A value that one of streamer's own parsers reads; its UsageError becomes click's."""

    def __init__(self, name: str, parse: Callable[[str], Any]) -> None:
        self.name = name
        self._parse = parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return self._parse(value)
        except UsageError as error:
            raise click.UsageError(str(error), ctx) from error


def detection_options(command: Command) -> Command:
    """``--conf``, ``--iou`` and ``--fit``: how a frame goes into the model, and what is kept of what comes out."""
    fit = click.option(
        "--fit",
        type=click.Choice([fit.value for fit in Fit]),
        default=Fit.LETTERBOX.value,
        show_default=True,
        help="How a frame is made to fit the model's input.",
    )
    iou = click.option(
        "--iou",
        metavar="IOU",
        type=float,
        default=0.5,
        show_default=True,
        help="Overlap at which NMS suppresses.",
    )
    conf = click.option(
        "--conf", metavar="C", type=float, default=0.25, show_default=True, help="Lowest confidence kept."
    )
    return conf(iou(fit(command)))


def complete_engine(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    """Engine names for shell completion."""
    return [name for name in VARIANTS if name.startswith(incomplete)]
