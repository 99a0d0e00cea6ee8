"""The sources and paths that are given to a function of the library."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike, fspath
from typing import TypeAlias

from streamer.errors import UsageError

Source: TypeAlias = str | PathLike[str]
"""A video file, an image, a folder of images, ``camera:N``, an address, or ``synthetic:street``."""
_SOURCE = "as in 'street.mp4' or 'camera:0'"


def path_text(name: str, given: object, example: str = "as in 'runs/demo'") -> str:
    """The path given as the argument ``name``, as text. Raises UsageError for anything but a path."""
    text = fspath(given) if isinstance(given, PathLike) else given
    if not isinstance(text, str):
        raise UsageError(f"{name} is of type {type(given).__name__}: give a str or a Path, {example}")
    if not text:
        raise UsageError(f"{name} is empty: give a path")
    if "\0" in text:
        raise UsageError(f"{name} {text!r} has a null character: give a path")
    return text


def source_text(given: object) -> str:
    """The given source as text. Raises UsageError for anything but a text or a path."""
    return path_text("source", given, _SOURCE)


def sources_of(source: Source | Sequence[Source]) -> list[str]:
    """One source or several, each as text. Raises UsageError for anything but texts and paths."""
    if isinstance(source, str | bytes) or not isinstance(source, Sequence):
        return [source_text(source)]
    return [source_text(one) for one in source]
