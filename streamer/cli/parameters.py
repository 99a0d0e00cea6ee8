"""Parameter types that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from streamer.errors import UsageError


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
