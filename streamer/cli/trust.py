"""Asking before a .pt is loaded: it is a pickle, and may run code of whoever made it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import click

from streamer.errors import UntrustedModel
from streamer.models.finding import find_model
from streamer.models.model import Model

T = TypeVar("T")

trust_option = click.option(
    "--trust",
    is_flag=True,
    help="Load a .pt without asking. It is a pickle: loading it may run code of whoever made it.",
)
"""The option of every command that takes a model."""


def find_model_asking(name_or_path: str | None, trust: bool) -> Model:
    """The model, a .pt that nobody has trusted yet only when the user says so."""
    return asking(partial(find_model, name_or_path), trust)


def asking(attempt: Callable[[bool], T], trust: bool) -> T:
    """What ``attempt`` returns, called with whether a .pt may be loaded; at a terminal the user is asked."""
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
