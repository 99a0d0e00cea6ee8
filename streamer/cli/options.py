"""Parameter types and options that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from streamer.cli.trust import trust_option
from streamer.detection.preprocess import Fit
from streamer.engines.spec_parser import parse_spec
from streamer.engines.variants import VARIANTS
from streamer.errors import UsageError
from streamer.pipeline.drop_policy import Policy
from streamer.schedule.schedule import parse_fps
from streamer.settings import Video
from streamer.studies.engine_choice import GROUPS
from streamer.units import parse_duration

Command = TypeVar("Command", bound=Callable[..., Any])

if TYPE_CHECKING:
    _ParamType = click.ParamType[Any]
else:
    _ParamType = click.ParamType  # up to click 8.3 it is not generic


class Parsed(_ParamType):
    """A value that one of streamer's own parsers reads; its UsageError becomes click's."""

    def __init__(self, name: str, parse: Callable[[str], Any]) -> None:
        self.name = name
        self._parse = parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return self._parse(value)
        except UsageError as error:
            raise click.UsageError(str(error), ctx) from error


def options(*several: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Several options as one decorator, in the order in which help shows them."""

    def decorate(command: Command) -> Command:
        for one in reversed(several):
            command = one(command)
        return command

    return decorate


def complete_engine(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    """Engine names for shell completion."""
    return [name for name in VARIANTS if name.startswith(incomplete)]


model_options = options(
    click.option(
        "--model",
        metavar="NAME|PATH",
        help="The detector: a name of 'streamer models list', or a .onnx, .xml or .pt.  [default: the bundled one]",
    ),
    trust_option,
)
"""``--model`` and ``--trust``."""


engine_option = click.option(
    "--engine",
    metavar="SPEC",
    default="ir-auto-shared",
    show_default=True,
    shell_complete=complete_engine,
    help="A variant of 'streamer engines', with refinements as in ir,precision=f32 or ir-fast,prime=on.",
)

freshness_options = options(
    click.option(
        "--arrivals",
        metavar="FILE.csv|bursty",
        help="When frames arrive: recorded (column arrival_ms), or in bursts: bursty[,pause_ms=450,every_s=2].",
    ),
    click.option(
        "--max-age", metavar="MS", type=float, help="Drop a frame that is older than this when its turn comes."
    ),
    click.option(
        "--skip-partial",
        is_flag=True,
        help="Wait for the next frame when this one's result would come no tick earlier.",
    ),
)
"""When frames arrive, and which are no longer worth an inference."""

endurance_options = options(
    click.option(
        "--load",
        metavar="WHAT=SIZE,...",
        multiple=True,
        help="A load beside the run: cpu=1.5 (cores), mem=2G, io=50M/s, nice=5; may be repeated.",
    ),
    click.option(
        "--stall",
        metavar="TIME",
        type=Parsed("time", parse_duration),
        default="5s",
        show_default=True,
        help="A stage that is at one frame for so long is stuck, and ends the run.",
    ),
    click.option(
        "--respawn",
        metavar="N",
        type=int,
        default=0,
        show_default=True,
        help="Run the engine in a process of its own, and replace it up to N times when it hangs or dies.",
    ),
    click.option(
        "--reconnect/--no-reconnect",
        default=True,
        show_default=True,
        help="Connect a camera or an address anew when it is lost; each tick without a frame is a row.",
    ),
    click.option(
        "--give-up",
        metavar="TIME",
        type=Parsed("time", parse_duration),
        help="A camera or an address without a frame for so long ends the run.  [default: 60s]",
    ),
    click.option(
        "--faults",
        metavar="FILE.toml",
        help="What is to go wrong on purpose, and when: a table [[fault]] for each.",
    ),
)
"""What a run has to bear, and what becomes of it when something in it fails."""


def engines_options(default: str) -> Callable[[Command], Command]:
    """``--engine``, repeated, and ``--engines``: those that a study looks at."""
    return options(
        click.option(
            "--engine",
            "engines",
            metavar="SPEC",
            type=Parsed("engine", parse_spec),
            shell_complete=complete_engine,
            multiple=True,
            help="An engine to look at, as in ir,threads=1; may be repeated.",
        ),
        click.option(
            "--engines",
            "group",
            type=click.Choice(GROUPS),
            help=f"Those of the tutorial, or every one but null.  [default: {default}, without --engine]",
        ),
    )


pacing_options = options(
    click.option(
        "--policy",
        type=click.Choice([policy.value for policy in Policy]),
        help="What happens to a frame when the queue is full.  [default: drop-oldest; wait with --fps max]",
    ),
    click.option(
        "--queue",
        metavar="N",
        type=int,
        default=1,
        show_default=True,
        help="Frames that may wait for the engine.",
    ),
    click.option("--warmup", metavar="N", type=int, default=10, show_default=True, help="Inferences before the run."),
    click.option(
        "--deadline",
        metavar="MS",
        type=float,
        help="Latency from which a frame is late.  [default: one frame period]",
    ),
    click.option(
        "--slo",
        metavar="EXPR",
        help="Objectives, as in 'latency.p99<33ms,drops<1%'; exit code 3 when one is missed.",
    ),
)
"""How frames meet the engine, and what is asked of that."""

streams_option = click.option(
    "--streams",
    metavar="N",
    type=int,
    default=1,
    show_default=True,
    help="Cameras that play SOURCE at once, evenly out of step, through one engine.",
)

fps_option = click.option(
    "--fps",
    metavar="source|N|max",
    type=Parsed("fps", parse_fps),
    default="source",
    show_default=True,
    help="The camera's pace: the file's own timestamps, N frames a second, or a closed loop.",
)

length_options = options(
    click.option("--frames", metavar="N", type=int, help="End after N frames."),
    click.option(
        "--duration",
        metavar="TIME",
        type=Parsed("duration", parse_duration),
        help="End after 90s, 10m or 1h of schedule.",
    ),
    click.option("--loop", is_flag=True, help="Start again at the end of the source."),
)
"""How long a run is."""

detection_options = options(
    click.option("--conf", metavar="C", type=float, default=0.25, show_default=True, help="Lowest confidence kept."),
    click.option(
        "--iou",
        metavar="IOU",
        type=float,
        default=0.5,
        show_default=True,
        help="Overlap at which NMS suppresses.",
    ),
    click.option(
        "--fit",
        type=click.Choice([fit.value for fit in Fit]),
        default=Fit.LETTERBOX.value,
        show_default=True,
        help="How a frame is made to fit the model's input.",
    ),
)
"""How a frame goes into the model, and what is kept of what comes out."""


def video_option(default: Video) -> Callable[[Command], Command]:
    """``--video``."""
    return click.option(
        "--video",
        type=click.Choice([video.value for video in Video]),
        default=default.value,
        show_default=True,
        help="Which frames the annotated video shows.",
    )


def output_options(out: str, overwrite: str, document: str) -> Callable[[Command], Command]:
    """``--out``, ``--overwrite``, ``--json`` and ``--quiet``; the words say what is written where, and printed."""
    return options(
        click.option(
            "--out", metavar="DIR", type=click.Path(path_type=Path), help=f"{out}  [default: a new one in runs/]"
        ),
        click.option("--overwrite", is_flag=True, help=overwrite),
        click.option(
            "--json", "as_json", is_flag=True, help=f"Print {document} on standard output, and nothing else there."
        ),
        click.option("--quiet", is_flag=True, help="Print nothing but errors."),
    )


_SETTINGS = {
    **{
        name: name
        for name in ("engine", "model", "trust", "fps", "queue", "slo", "frames", "loop", "warmup", "streams")
    },
    **{
        name: name
        for name in ("arrivals", "skip_partial", "respawn", "reconnect", "load", "faults", "iou", "overwrite")
    },
    "max_age": "max_age_ms",
    "stall": "stall_s",
    "give_up": "give_up_s",
    "duration": "duration_s",
    "deadline": "deadline_ms",
    "conf": "confidence",
}
"""Options, and what `Settings` calls them."""


def settings_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """What was given for the options above, as `Settings` has it."""
    return {setting: given[option] for option, setting in _SETTINGS.items() if option in given} | {
        "policy": Policy(given["policy"]) if given["policy"] else None,
        "fit": Fit(given["fit"]),
        "video": Video(given["video"]),
    }
