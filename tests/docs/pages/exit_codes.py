"""docs/reference/exit-codes.md, made from the rows of streamer/cli/exit_codes.py."""

from __future__ import annotations

from streamer.cli.exit_codes import EXIT_CODES
from tests.docs.pages.markdown import MADE, table

HEADING = f"""# Exit codes

{MADE}

"""
MORE = """
- When standard output cannot be written (a full disk, a reader that has ended), the work goes on. Its files are
  whole. One line on standard error says so. The exit code is 1 where it would be 0.
- An error is one line that names the thing and the mend. `--debug`, anywhere, shows its traceback.
- A defect of streamer is one line too, with exit code 1. It names the installed versions and the file with the
  traceback. The file is in the run directory (the run is FAILED, and whole), else in the cache.
- `run.json` has the `versions` of Python, FFmpeg and each package. A note names versions that are newer than those
  with which all tests have passed.

| command | 3 means |
|---|---|
| `replay` | the run is INVALID, or an objective of `--slo` was missed |
| `soak` | a verdict failed |
| `compare` | an engine that ran missed an objective of `--slo`, disagrees with the reference, or its run is INVALID |
| `pace` | with `--slo`: no rate meets the objectives |
| `parity` | an agreement is below `--min-agreement`, or there was nothing to compare |
| `verify` | the run is INVALID, or it was killed and is not repaired |
| `models quantize` | the agreement is below `--min-agreement` |
"""


def page() -> str:
    """The text of the page."""
    rows = ((", ".join(str(int(code)) for code in codes), meaning) for codes, meaning in EXIT_CODES)
    return HEADING + table("exit code", "when", rows=rows) + MORE
