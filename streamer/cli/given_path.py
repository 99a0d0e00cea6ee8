"""Paths on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    _Path = click.Path[Path]
else:
    _Path = click.Path


class GivenPath(_Path):
    """A path; an empty text is refused, since Python would take it for the current directory."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            name = "a path" if param is None else param.opts[-1] if isinstance(param, click.Option) else param.metavar
            raise click.UsageError(f"{name} is empty: give a path", ctx)
        return super().convert(value, param, ctx)
