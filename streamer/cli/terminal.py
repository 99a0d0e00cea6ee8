"""Where results and progress are shown; names in them are text, whatever brackets and colons they have."""

from __future__ import annotations

from rich.console import Console


def output_console() -> Console:
    """Standard output, for results."""
    return Console(markup=False, emoji=False)


def progress_console(*, quiet: bool = False) -> Console:
    """Standard error, for what is shown while something goes on.

    When it goes away, as that of a lost connection does, or its disk is full, the work is not the worse for it:
    `watched_streams` sees to that.
    """
    return Console(stderr=True, quiet=quiet, markup=False, emoji=False)
