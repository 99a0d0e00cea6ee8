"""The exit codes of ``streamer``; those of errors are in `streamer.errors`."""

from __future__ import annotations

import signal

from streamer.errors import StreamerError, UsageError

EXIT_DONE = 0
EXIT_FAILED = StreamerError.exit_code
EXIT_USAGE = UsageError.exit_code
EXIT_VERDICT = 3
EXIT_SIGNAL = 128
"""The exit code of a process that a signal ended is this and the signal's number."""
EXIT_SIGINT = EXIT_SIGNAL + signal.SIGINT
EXIT_SIGTERM = EXIT_SIGNAL + signal.SIGTERM
EXIT_SIGHUP = EXIT_SIGNAL + 1
"""The number 1, since Windows has no SIGHUP to name."""


def exit_of_signal(name: str) -> int:
    """The exit code of a command that was ended by the signal of this name, as in ``SIGINT``."""
    return EXIT_SIGNAL + signal.Signals[name]


EXIT_CODES = (
    ((EXIT_DONE,), "done"),
    (
        (EXIT_FAILED,),
        "could not run, or failed on the way (results up to there are kept): not a video, not a detector, "
        "no engine that can run here, disk full; or done, and standard output could not be written",
    ),
    (
        (EXIT_USAGE,),
        "usage: no such file, unknown engine, key or value, `--out` not empty, `--resume` of a soak that is over",
    ),
    (
        (EXIT_VERDICT,),
        "done, but a run is INVALID or killed and not repaired, an objective of `--slo` or an agreement was missed, "
        "or a verdict on a soak failed: see the table below",
    ),
    (
        (EXIT_SIGHUP, EXIT_SIGINT, EXIT_SIGTERM),
        "interrupted by SIGHUP (a lost terminal), SIGINT, SIGTERM; results are kept and the summary printed. "
        "A second signal ends the process at once, with 128 and that signal's number: results are as of a killed run",
    ),
)
"""The codes and their meaning: the table of docs/reference/exit-codes.md."""
