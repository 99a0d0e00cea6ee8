"""``streamer models quantize``."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress

from streamer.cli.completion import complete_model
from streamer.cli.exit_codes import EXIT_DONE, EXIT_VERDICT
from streamer.cli.options import video_stream_option
from streamer.cli.suspended import cursor_shown_while_stopped
from streamer.cli.trust import find_model_asking, trust_option
from streamer.ledger.decode_errors import decode_errors_text


@click.command()
@click.argument("model", metavar="NAME|PATH", shell_complete=complete_model)
@click.option(
    "--with",
    "source",
    metavar="SOURCE",
    required=True,
    help="A video, a folder of images or synthetic:street, as replay takes it: what your camera sees.",
)
@click.option(
    "--samples",
    metavar="N",
    type=int,
    default=300,
    show_default=True,
    help="Frames that calibrate it, spread evenly.",
)
@click.option(
    "--min-agreement",
    metavar="A",
    type=float,
    default=0.9,
    show_default=True,
    help="Refuse it when it agrees with the original by less than this.",
)
@video_stream_option
@trust_option
@click.option("--json", "as_json", is_flag=True, help="Print the result on standard output, and nothing else there.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def command(
    model: str,
    source: str,
    samples: int,
    min_agreement: float,
    video_stream: int | None,
    trust: bool,
    **shown: bool,
) -> int:
    """Quantize a model to 8 bits on frames of SOURCE, for the engines ir-int8 and ir-fast.

    NNCF quantizes weights and activations after training; the frames go through replay's own preprocess. Other
    frames than those that calibrate it measure speed and agreement, before and after. The INT8 form is kept in the
    user's cache under the hash of what it was made from; below --min-agreement it is refused (exit code 3).

    \b
    Examples:
      streamer models quantize street --with synthetic:street
      streamer models quantize mine.onnx --with video.mp4 --samples 500 --min-agreement 0.95
    """
    from streamer.studies.quantize.study import Quantization, quantize_model

    found: Quantization
    console = Console(stderr=True, quiet=shown["quiet"], markup=False, emoji=False)
    with (
        cursor_shown_while_stopped(console),
        Progress(console=console, transient=True, disable=not console.is_terminal) as progress,
    ):
        task = progress.add_task("reading", total=None)
        found = quantize_model(
            find_model_asking(model, trust),
            source,
            samples=samples,
            min_agreement=min_agreement,
            video_stream=video_stream,
            advance=lambda doing: progress.update(task, description=doing, advance=1),
        )
    agreement = found.after.agreement.smaller
    if shown["as_json"]:
        click.echo(json.dumps(_document(found), indent=2, ensure_ascii=False))
    elif not shown["quiet"]:
        _print(found)
    if found.path is not None:
        return EXIT_DONE
    result = "cannot be measured, neither form finds anything" if agreement is None else f"is {agreement:.3f}"
    click.echo(
        f"streamer: not kept: agreement with the original {result}, required is {min_agreement:g}; "
        "give frames like those the camera sees, more --samples, or a lower --min-agreement",
        err=True,
    )
    return EXIT_VERDICT


def _document(found: Any) -> dict[str, Any]:
    document = {"judged" if name == "scored" else name: value for name, value in asdict(found).items()}
    for form in ("before", "after"):
        document[form]["agreement"]["smaller"] = getattr(found, form).agreement.smaller
    return {**document, "path": None if found.path is None else str(found.path), "kept": found.path is not None}


def _print(found: Any) -> None:
    click.echo(
        f"{found.model}, calibrated on {found.samples} frames of {found.source}, scored on {found.scored} others"
    )
    if why := decode_errors_text([found.decode_errors]):
        click.echo(f"left out, as they could not be decoded: {why}")
    click.echo(f"{'':12}{'FP16 IR':>12}{'INT8 IR':>12}")
    rows = (
        ("size", [f"{form.bytes / 1e6:.1f} MB" for form in (found.before, found.after)]),
        ("service time", [f"{form.service_ms:.2f} ms" for form in (found.before, found.after)]),
        ("agreement", [_share(form.agreement.smaller) for form in (found.before, found.after)]),
    )
    for label, cells in rows:
        click.echo(f"{label:12}" + "".join(f"{cell:>12}" for cell in cells))
    if found.path is not None:
        click.echo(f"kept in {found.path.parent}; ir-int8 and ir-fast run it")


def _share(agreement: float | None) -> str:
    return "unchecked" if agreement is None else f"{agreement:.3f}"
