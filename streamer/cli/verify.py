"""``streamer verify``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from streamer.cli.completion import complete_directories
from streamer.cli.exit_codes import EXIT_DONE, EXIT_VERDICT
from streamer.cli.given_path import GivenPath

if TYPE_CHECKING:
    from streamer.api.verify import RemainsPart, Verification
    from streamer.run.measured_parts import RepairedPart


@click.command()
@click.argument("run_dir", metavar="RUN_DIR", type=GivenPath(), shell_complete=complete_directories)
@click.option(
    "--repair",
    "mend",
    is_flag=True,
    help="First complete what a killed run has left, and write its run.json with the verdict INTERRUPTED.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result on standard output, and nothing else there.")
def command(run_dir: Path, mend: bool, as_json: bool) -> int:
    """Work out every figure of a finished run again from its files, and say VALID, or INVALID and why.

    frames.csv is counted and its columns are checked against each other; the figures of run.json are computed from it
    by code that shares nothing with the code that wrote them; detections.csv and annotated.mp4 must hold what it
    promises. A run that was killed has no run.json: the verdict is INTERRUPTED, and what is left of it is listed.

    The exit code is 0 for VALID, else 3; it is 1 when a file cannot be read, which says nothing about the run.

    \b
    Examples:
      streamer verify runs/demo
      streamer verify runs/demo --json
      streamer verify runs/killed --repair
    """
    from streamer.api.verify import look_at  # not for --help: it loads numpy and PyAV

    found = look_at(run_dir, repair=mend)
    document = found.document
    if as_json:
        click.echo(json.dumps(document, indent=2))
        return EXIT_DONE if found.valid else EXIT_VERDICT
    if mend:
        click.echo(_repaired(found.repaired))
    if found.valid:
        click.echo(f"VALID{_of(found)}\n{_checked(found)}")
    elif "remains" in document:
        click.echo("\n".join([*_left(run_dir, document["remains"], found.verdict), *found.reasons]))
    else:
        click.echo("\n".join(["INVALID", *found.reasons]))
    return EXIT_DONE if found.valid else EXIT_VERDICT


def _repaired(mended: RepairedPart | None) -> str:
    if mended is None:
        return "nothing to repair: run.json is there"
    counts: Mapping[str, Any] = mended
    done = [f"{name.replace('_', ' ')} {count:,}" for name, count in counts.items() if count or name == "rows"]
    return f"repaired: {', '.join(done)}; run.json is written"


def _left(run_dir: Path, remains: RemainsPart, verdict: str) -> Iterator[str]:
    whole = "no row was written" if remains["until_ms"] is None else f"whole up to {remains['until_ms'] / 1000:.3f} s"
    yield f"{verdict}: the run was killed and has no run.json; {whole}"
    yield f"rows    {remains['rows']:,}" + _besides("frames in flight without one", remains["unknown"])
    yield f"objects {remains['detections'] - remains['strays']:,}" + _besides(
        "more, of frames without a row", remains["strays"]
    )
    if remains["torn_lines"]:
        yield f"torn    incomplete last lines, which do not count: {remains['torn_lines']}"
    for video in remains["videos"]:
        played, delivered = _at(video["plays_until_ms"]), _at(video["delivered_until_ms"])
        yield f"video   {video['name']} plays up to {played}, the last frame delivered is at {delivered}"
    if remains["let_go"]:
        yield "deleted some segments (--keep): it cannot be repaired; its soak goes on with 'streamer soak --resume'"
    else:
        yield f"mend    streamer verify {run_dir} --repair"


def _besides(what: str, count: int) -> str:
    return f"; {what}: {count:,}" if count else ""


def _at(ms: float | None) -> str:
    return "nowhere" if ms is None else f"{ms / 1000:.3f} s"


def _of(found: Verification) -> str:
    """The kind of run, if it did not come to its end: its record can be VALID all the same."""
    return {"INTERRUPTED": " (of an interrupted run)", "FAILED": " (of a failed run)"}.get(
        found.run_verdict or "", ""
    )


def _checked(found: Verification) -> str:
    counts: Mapping[str, Any] = found.document["checked"]
    parts = [f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items() if count]
    trusted = (
        ""
        if found.document["hashed"]
        else "\nrun.json is of an older streamer and has no hash of its own: only its rows are known"
    )
    gone = f"; {found.let_go:,} rows are in segments that --keep has deleted" if found.let_go else ""
    return f"checked {', '.join(parts)}{gone}{trusted}"
