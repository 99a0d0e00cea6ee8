"""The consoles of results and of progress; names in them are text, with brackets and colons as they are."""

from __future__ import annotations

from rich.console import Console


def output_console() -> Console:
    """Standard output, for results."""
    return Console(markup=False, emoji=False)


def progress_console(*, quiet: bool = False) -> Console:
    """Standard error, for progress and notes.

    The work goes on when it fails, as that of a lost connection does, or on a full disk: see `watched_streams`.
    """
    return Console(stderr=True, quiet=quiet, markup=False, emoji=False)
