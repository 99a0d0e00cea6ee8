"""docs/reference/exit-codes.md, made of the rows of streamer/cli/exit_codes.py."""

from __future__ import annotations

from streamer.cli.exit_codes import EXIT_CODES
from tests.docs.pages.markdown import MADE, table

HEADING = f"""# Exit codes

{MADE}

"""
MORE = """
- Standard output that cannot be written (a full disk, a reader that has ended) ends nothing. The work goes on, its
  files are whole, one line on standard error says so, and the exit code is 1 where it would be 0.
- An error is one line that names the thing and the mend. `--debug`, anywhere, shows its traceback.
- An error that nobody foresaw is one line too, exit code 1. It names the effective versions and the file that holds
  the traceback: in the run directory (the run is FAILED, and whole), else in the cache.
- `run.json` has the `versions` of Python, FFmpeg and each package. Versions newer than any that all tests have
  passed with are a note.

| command | 3 means |
|---|---|
| `replay` | the run is INVALID, or an objective of `--slo` was missed |
| `soak` | a verdict failed |
| `compare` | an engine that ran missed an objective of `--slo`, disagrees with the reference, or its run is INVALID |
| `pace` | with `--slo`: no rate meets the objectives |
| `parity` | an agreement is under `--min-agreement`, or there was nothing to compare |
| `verify` | INVALID; or the run was killed, and is not repaired |
| `models quantize` | the agreement is under `--min-agreement` |
"""


def page() -> str:
    """What is to be in the file."""
    rows = ((", ".join(str(int(code)) for code in codes), meaning) for codes, meaning in EXIT_CODES)
    return HEADING + table("exit code", "when", rows=rows) + MORE
