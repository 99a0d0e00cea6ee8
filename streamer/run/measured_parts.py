"""The parts of ``run.json`` that are measured, and those that report events of the run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NotRequired, TypedDict, cast

from streamer.machine.contention import ContentionMeter
from streamer.machine.info import resident_peak_mb
from streamer.machine.suspension import SuspensionsPart
from streamer.pipeline.between_frames import HousekeepingTally
from streamer.pipeline.engine_restart import Replacement
from streamer.pipeline.pipeline import Pipeline
from streamer.pipeline.priming import PrimingTally
from streamer.pipeline.watchdog import Stall
from streamer.run.measurements import DeviceChange
from streamer.run.resources import Opened
from streamer.stats.steadiness import Window
from streamer.stats.summary import FiguresPart, Tally, figures_part


class OutcomesPart(TypedDict):
    """How many frames were scheduled, and each of their outcomes."""

    scheduled: int
    delivered: int
    dropped: int
    decode_error: int
    source_error: int
    engine_error: int
    sink_error: int
    abandoned: int


class FramesPart(OutcomesPart):
    """The ``frames``: how many were scheduled, each of their outcomes, and those late, and late or not delivered."""

    late: int
    missed: int


class PrimingPart(TypedDict):
    """The ``priming``: throw-away inferences, the CPU time that they took, and the real frames they delayed.

    ``cpu_s`` is in seconds, ``*_ms`` in milliseconds.
    """

    inferences: int
    frames_primed: int
    frames_without_room: int
    cpu_s: float
    cpu_ms_per_primed_frame: float | None
    frames_delayed: int
    most_delay_ms: float


def priming_part(tally: PrimingTally) -> PrimingPart:
    """The ``priming`` of the manifest."""
    return {
        "inferences": tally.inferences,
        "frames_primed": tally.primed,
        "frames_without_room": tally.no_room,
        "cpu_s": round(tally.cpu_s, 3),
        "cpu_ms_per_primed_frame": round(tally.cpu_s * 1000 / tally.primed, 3) if tally.primed else None,
        "frames_delayed": tally.delayed,
        "most_delay_ms": tally.most_delay_us / 1000,
    }


class ReplacementPart(TypedDict):
    """One of the ``replacements``: why the engine was lost, when, and when the next one was ready; null: not known.

    Times are milliseconds of the run.
    """

    why: str
    at_ms: float
    back_ms: float | None


def replacements_part(replacements: Sequence[Replacement]) -> list[ReplacementPart]:
    """The ``replacements`` of the manifest."""
    return [{"why": one.why, "at_ms": one.at_us / 1000, "back_ms": one.back_us / 1000} for one in replacements]


class StallPart(TypedDict):
    """One of the ``stalls``: which stage was stuck, at how many milliseconds of the run, and where in the code.

    The innermost call is the last line of the stack.
    """

    stage: str
    at_ms: float
    stack: list[str]


def stalls_part(stalls: Sequence[Stall]) -> list[StallPart]:
    """The ``stalls`` of the manifest."""
    return [{"stage": stall.stage.value, "at_ms": stall.at_us / 1000, "stack": stall.stack} for stall in stalls]


class WindowsPart(TypedDict):
    """The ``windows``: the last three, of some seconds each, by which a run is called steady.

    ``rate`` has the frames a second delivered in each, ``latency_ms`` their median latencies in milliseconds.
    """

    seconds: int
    rate: list[float]
    latency_ms: list[float]


def windows_part(length_s: int, windows: Sequence[Window]) -> WindowsPart:
    """The ``windows`` of the manifest."""
    return {
        "seconds": length_s,
        "rate": [round(window.rate, 3) for window in windows],
        "latency_ms": [round(window.latency_ms, 3) for window in windows],
    }


class DevicePart(FiguresPart):
    """One of the ``parts``: a stretch between changes of the device, in milliseconds of the run, and its figures."""

    from_ms: float
    to_ms: float
    execution_devices: list[str]


def device_parts(changes: Sequence[DeviceChange], tally: Tally, duration_us: int) -> list[DevicePart]:
    """The ``parts`` of the manifest; none without changes."""
    if not changes:
        return []
    edges = [0, *(change.at_us for change in changes), max(duration_us, changes[-1].at_us)]
    devices = [changes[0].before, *(change.after for change in changes)]
    return [
        {
            "from_ms": start / 1000,
            "to_ms": end / 1000,
            "execution_devices": list(ran),
            **figures_part(figures),
        }
        for start, end, ran, figures in zip(edges, edges[1:], devices, tally.parts(), strict=False)
    ]


class HousekeepingPart(TypedDict):
    """The ``housekeeping``: how much was done between frames, and how much of it while a frame was being measured.

    ``delayed`` counts what had not ended when the next frame was due or expected, ``most_delay_ms`` is by how much at
    most; ``longest_ms`` is what held the event loop the longest.
    """

    done: int
    while_measuring: int
    delayed: int
    most_delay_ms: float
    longest_ms: float


def housekeeping_part(tally: HousekeepingTally) -> HousekeepingPart:
    """The ``housekeeping`` of the manifest's ``resources``."""
    return {
        "done": tally.begun,
        "while_measuring": tally.while_measuring,
        "delayed": tally.delayed,
        "most_delay_ms": tally.most_delay_us / 1000,
        "longest_ms": tally.longest_us / 1000,
    }


class ResourcesPart(TypedDict):
    """The ``resources``: what the run took, and what others took of the machine meanwhile.

    ``*_s`` are CPU seconds, ``cores_*`` cores' worth of CPU, the others counts. ``decoded_while_measuring`` counts
    frames that were decoded while another was measured, ``most_waiting_for_sink`` what waited for one sink at most,
    ``undrawn`` the dropped frames that are not in the video, ``held_pictures`` those that are in it only to hold the
    one before through a long gap. ``suspensions``, not there in older ones, are stretches in which the process did
    not run. All are null of a run that was killed.
    """

    cpu_s: float | None
    cpu_s_by_stage: dict[str, float] | None
    cores_taken_by_others: float | None
    cores_taken_by_the_hypervisor: float | None
    throttled: int | None
    peak_resident_mb: float | None
    spin_us: int | None
    decoded_while_measuring: int | None
    most_waiting_for_sink: int | None
    undrawn: int | None
    held_pictures: int | None
    housekeeping: HousekeepingPart | None
    suspensions: NotRequired[SuspensionsPart | None]


def resources_part(
    opened: Opened,
    meter: ContentionMeter,
    pipeline: Pipeline,
    cpu_s: float,
    held_pictures: int,
    suspensions: SuspensionsPart,
) -> ResourcesPart:
    """The ``resources`` of the manifest."""
    return {
        "cpu_s": round(cpu_s, 3),
        "cpu_s_by_stage": opened.threads.cpu_s,
        "cores_taken_by_others": round(meter.others_cores, 3),
        "cores_taken_by_the_hypervisor": round(meter.stolen_cores, 3),
        "throttled": meter.throttled,
        "peak_resident_mb": resident_peak_mb(),
        "spin_us": opened.clock.spin_us,
        "decoded_while_measuring": pipeline.ungated,
        "most_waiting_for_sink": pipeline.most_waiting,
        "undrawn": pipeline.undrawn,
        "held_pictures": held_pictures,
        "housekeeping": housekeeping_part(pipeline.housekeeping),
        "suspensions": suspensions,
    }


UNKNOWN_RESOURCES = cast(ResourcesPart, dict.fromkeys(ResourcesPart.__annotations__))
"""The resources of a run that was killed."""


class RepairedPart(TypedDict):
    """The ``repaired``: counts of whole rows, of frames added as abandoned, and of what was cut off.

    That is torn lines, and rows of detections of frames that have no row of their own.
    """

    rows: int
    abandoned: int
    torn_lines: int
    detections_removed: int


class FilePart(TypedDict):
    """One of the ``files``: its size in bytes, and its SHA-256."""

    bytes: int
    sha256: str
