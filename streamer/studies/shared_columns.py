"""Columns that the tables of several studies have."""

from __future__ import annotations

from collections.abc import Sequence

from streamer.rundir.csv_column import Column
from streamer.studies.run_figures import SHOWN

WHY = Column("why", "", "why the engine is unavailable: why it cannot run here, or how it failed; empty when it ran")
PRECISION = Column(
    "precision",
    "",
    "the effective precision, read back from the runtime: as in `f32`, or `i8+bf16` for a quantized model",
)
DEVICES = Column("devices", "", "the devices that ran the model, read back from the runtime, separated by spaces")
SAME_AS = Column(
    "same_as",
    "",
    "an earlier engine of the table that ran in the same configuration: a difference from it is noise; else empty",
)
FRAMES = (
    Column("scheduled", "frames", "frames that were scheduled"),
    Column("delivered", "frames", "frames with this outcome"),
    Column("dropped", "frames", "frames with this outcome"),
    Column("drops_percent", "%", "dropped frames, of those scheduled"),
)
OUTCOME = (
    Column("slo", "", "`met` or `missed`: the objectives of `--slo`; empty without that option"),
    Column(
        "verdict",
        "",
        "the verdict on its run, as in `run.json`: `VALID`, `INTERRUPTED`, `FAILED` or `INVALID`; "
        "unlike in `parity.csv`",
    ),
    Column("directory", "", "its run directory, relative to that of the study"),
)
MB = "MB of 1,048,576 bytes"
WITHHELD = "empty where it is [withheld](#withheld)"
SERVICE = f"service time: from the start of preprocess to boxes, without any waiting; {WITHHELD}"
RESULT_LATENCY = (
    f"result latency: from due to boxes; in a closed loop from when the frame left the source; {WITHHELD}"
)
LATENCY = (
    "latency: from due to the frame in the annotated video; with `--video none`, the default here, to the instant at "
    f"which the sink accepts its result; {WITHHELD}"
)
AGE = f"age: how old the newest detected frame was at each tick; empty in a closed loop, and {WITHHELD}"


def percentiles(figure: str, meaning: str, names: Sequence[str] = SHOWN) -> tuple[Column, ...]:
    """The columns of a figure's percentiles, in milliseconds."""
    return tuple(Column(f"{figure}_{name}_ms", "ms", meaning) for name in names)


def estimate(name: str, unit: str, meaning: str) -> tuple[Column, ...]:
    """The columns of an estimate and of the ends of its interval; a unit at the end of the name stays there."""
    stem, ending = (name.removesuffix("_ms"), "_ms") if name.endswith("_ms") else (name, "")
    ends = (
        Column(f"{stem}_{end}{ending}", unit, f"the ends of the 99 % interval of `{name}`") for end in ("low", "high")
    )
    return Column(name, unit, meaning), *ends
