"""Asking before a .pt is loaded: it is a pickle, and may run code of whoever made it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import click

from streamer.cli.options import option_of
from streamer.errors import UntrustedModel
from streamer.models.find import find_model
from streamer.models.model import Model

T = TypeVar("T")

trust_option = option_of("trust")
"""The option of every command that takes a model."""


def find_model_asking(name_or_path: str | None, trust: bool) -> Model:
    """The model; a .pt without ``trust`` is loaded only if the user agrees. Raises what `find_model` raises."""
    return asking(partial(find_model, name_or_path), trust)


def asking(attempt: Callable[[bool], T], trust: bool) -> T:
    """The result of ``attempt``, called with whether a .pt may be loaded; without ``trust`` the user decides.

    Raises UntrustedModel when the user declines, or there is no terminal to ask at.
    """
    try:
        return attempt(trust)
    except UntrustedModel as error:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise
        click.echo(f"streamer: {error}", err=True)
        # Not click.confirm: up to click 8.3 that writes a blank on standard output.
        click.echo("Load it? [y/N]: ", nl=False, err=True)
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            raise
        return attempt(True)
