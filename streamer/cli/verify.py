"""``streamer verify``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from streamer.verify import Verification

INVALID = 3
"""The exit code of a record in which something is wrong."""


@click.command()
@click.argument("run_dir", metavar="RUN_DIR", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the result on standard output, and nothing else there.")
def command(run_dir: Path, as_json: bool) -> int:
    """Work out every figure of a finished run again from its files, and say VALID, or INVALID and why.

    frames.csv is counted and its columns are checked against each other; the figures of run.json are computed from it
    by code that shares nothing with the code that wrote them; detections.csv and annotated.mp4 must hold what it
    promises. The exit code is 0 for VALID and 3 for INVALID.

    \b
    Examples:
      streamer verify runs/demo
      streamer verify runs/demo --json
    """
    from streamer.verify import verify  # not for --help: it loads numpy and PyAV

    found = verify(run_dir)
    reasons = [*found.reasons, *([f"and {found.more:,} more"] if found.more else [])]
    if as_json:
        verdict = "VALID" if found.valid else "INVALID"
        click.echo(json.dumps({"verdict": verdict, "checked": found.checked, "reasons": reasons}, indent=2))
    elif found.valid:
        click.echo(f"VALID{_of(found)}\n{_checked(found)}")
    else:
        click.echo("\n".join(["INVALID", *reasons]))
    return 0 if found.valid else INVALID


def _of(found: Verification) -> str:
    """A run that did not come to its end can have left a record that is whole."""
    return {"INTERRUPTED": " (of an interrupted run)", "FAILED": " (of a failed run)"}.get(
        found.run_verdict or "", ""
    )


def _checked(found: Verification) -> str:
    parts = [f"{count:,} {name.replace('_', ' ')}" for name, count in found.checked.items() if count]
    return f"checked {', '.join(parts)}"
