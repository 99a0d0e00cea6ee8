"""matplotlib as all charts use it: the Agg canvas, no pyplot, no window, nothing in the user's home."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from streamer import __version__
from streamer.errors import CacheError, SinkError
from streamer.files.cache import kept_or_temporary
from streamer.files.whole import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH_INCH, HEIGHT_INCH, DPI = 12, 8, 100
COMPRESSION = 3
"""The level of the PNG: half the time of the usual 6, for a file that is a sixth larger."""


def new_figure(height_inch: float = HEIGHT_INCH) -> Figure:
    """An empty white figure, 1,200 pixels wide. Raises SinkError when matplotlib cannot be loaded."""
    try:
        with _own_surroundings():
            from matplotlib.backends.backend_agg import FigureCanvasAgg
            from matplotlib.figure import Figure
    except (ImportError, OSError, CacheError) as error:
        raise SinkError(f"cannot draw: matplotlib does not load ({error})") from error
    figure = Figure(figsize=(WIDTH_INCH, height_inch), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def add_axes(figure: Figure, left: float, right: float, top: float, height: float) -> Axes:
    """New axes of this height, so far from the left, the right and the upper edge of the figure; all in inches."""
    whole = figure.get_figheight()
    share = (left / WIDTH_INCH, 1 - (top + height) / whole, 1 - (left + right) / WIDTH_INCH, height / whole)
    return figure.add_axes(share)


def save(figure: Figure, path: Path) -> None:
    """Writes the figure to ``path`` as a PNG, whole or not at all. Raises SinkError."""
    with replacing(path) as scratch, warnings.catch_warnings():
        # A file's name may have letters that the font lacks: an empty box is enough for them.
        warnings.simplefilter("ignore")
        own = {"Software": f"streamer {__version__}"}
        figure.savefig(scratch, format="png", dpi=DPI, metadata=own, pil_kwargs={"compress_level": COMPRESSION})


def printable(text: str) -> str:
    """The text with U+FFFD for characters that cannot be printed: file names may hold any bytes."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


@contextmanager
def _own_surroundings() -> Iterator[None]:
    """While matplotlib is loaded: its configuration and cache in streamer's cache, its own fonts alone, no messages.

    It would otherwise write into the user's home, and ask another program for the system's fonts. Nothing changes in
    a program that has loaded it before.
    """
    if "matplotlib" in sys.modules:
        yield
        return
    own = {"MPLCONFIGDIR": str(kept_or_temporary() / "matplotlib"), "MPL_IGNORE_SYSTEM_FONTS": "1"}
    before = {name: os.environ.get(name) for name in own}
    log = logging.getLogger("matplotlib")
    level = log.level
    os.environ.update(own)
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(level)
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
