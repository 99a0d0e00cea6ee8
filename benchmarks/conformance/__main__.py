"""How each decoder decodes the tiny model of each head: right, wrong, or refused.

    python -m benchmarks.conformance [--keep DIR] [HEAD]...

Each model finds the three objects of one picture only when that reaches it as it requires: in its order of colours,
its range, and at its place in the input. The installed decoders are run; streamer has to be right.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

from benchmarks.common import Report, own_cache
from benchmarks.conformance import scene
from benchmarks.conformance.decoders import Decoder, Refused, installed, verdict
from benchmarks.conformance.files import Files, write_files
from benchmarks.conformance.forms import FORMS
from streamer.detection.heads import HEADS
from streamer.errors import StreamerError

OURS = "streamer "


def outcome(decode: Decoder, files: Files, input_size: tuple[int, int]) -> str:
    """Right, wrong and how, or refused and why, in a line."""
    try:
        found = decode(files, scene.picture(input_size))
    except (Refused, StreamerError) as error:
        return f"refused: {error}"
    except Exception as error:  # each decoder has errors of its own
        lines = str(error).strip().splitlines() or [""]
        return f"refused: {type(error).__name__}: {lines[0]}"
    return verdict(found, scene.objects(input_size))


@click.command()
@click.option("--keep", type=click.Path(path_type=Path, file_okay=False), help="Keep the models in this new folder.")
@click.argument("heads", nargs=-1)
def main(keep: Path | None, heads: Sequence[str]) -> None:
    """Run every decoder on every head, or on those that are named."""
    if unknown := [name for name in heads if name not in HEADS]:
        raise click.UsageError(f"no head {unknown[0]}; there are {', '.join(HEADS)}")
    report, decoders = Report(), installed()
    width = max(map(len, decoders))
    wrong = 0
    with tempfile.TemporaryDirectory() as scratch, own_cache(Path(scratch) / "cache"):
        folder = keep or Path(scratch) / "models"
        folder.mkdir(parents=True)
        for name in heads or HEADS:
            form = FORMS[name]
            files = write_files(name, form, folder)
            report.say(f"{name}: {HEADS[name].about}")
            for who, decode in decoders.items():
                text = outcome(decode, files, form.input_size)
                wrong += text != "right" and who.startswith(OURS)
                report.say(f"  {who:{width}}  {text}")
    report.at_most("heads that streamer does not decode right with an engine", wrong, 0)
    report.end()


if __name__ == "__main__":
    main()
