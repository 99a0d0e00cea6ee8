"""docs/reference/exit-codes.md, made from the rows of streamer/cli/exit_codes.py."""

from __future__ import annotations

from streamer.cli.exit_codes import EXIT_CODES
from tests.docs.pages.markdown import MADE, table

HEADING = f"""# Exit codes

{MADE}

"""
MORE = """
- The first of these that holds decides: an error (1 or 2), an interruption (129, 130 or 143), a missed verdict (3),
  else 0. A soak that ended with an error has exit code 1, and an interrupted one 130 or 143, even when a verdict
  failed.
- Doubts do not change the exit code. An engine of a study that cannot run here does not change it either, while
  another one can. Exceptions are `pace --slo`, and an engine that was named with `--baseline` or `--reference`.
- A process that was killed by SIGKILL (also by the system, when memory runs out) sets no code. A shell shows 137.
  [Finish a killed run](../howto/killed-runs.md) explains what is left.
- When standard output cannot be written (a full disk, a reader that has ended), the work goes on. Its files are
  whole. One line on standard error says so. The exit code is 1 where it would be 0.
- An error is one line that names the thing and the mend. `--debug`, anywhere, shows its traceback.
- A defect of streamer is one line too, with exit code 1. It names the installed versions and the file with the
  traceback. The file is in the run directory (the run is FAILED, and whole), else in the cache.
- `run.json` has the `versions` of Python, FFmpeg and each package. A note names versions that are newer than those
  with which all tests have passed.

"""
OF_COMMANDS = {
    "replay": "the run is INVALID, or an objective of `--slo` was missed",
    "soak": "a verdict failed; open verdicts alone (`undecided`) end with 0",
    "compare": "an engine that ran missed an objective of `--slo`, disagrees with the reference, or its run is "
    "INVALID; `unchecked` ends with 0",
    "pace": "a run is INVALID; with `--slo`: an engine meets the objectives at no rate, also because it cannot run "
    "here",
    "parity": "an agreement is below `--min-agreement`, or there was nothing to compare (`unchecked`)",
    "verify": "the record is INVALID, or the run was killed and is not repaired",
    "models quantize": "the agreement with the original is below `--min-agreement`, or neither form finds anything",
}
"""What a missed verdict is, by command."""


def page() -> str:
    """The text of the page."""
    rows = ((", ".join(str(int(code)) for code in codes), meaning) for codes, meaning in EXIT_CODES)
    of_commands = ((f"`{command}`", meaning) for command, meaning in OF_COMMANDS.items())
    return HEADING + table("exit code", "when", rows=rows) + MORE + table("command", "3 means", rows=of_commands)
