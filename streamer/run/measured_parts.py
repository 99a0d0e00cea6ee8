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
    """Frames that were scheduled: the sum of the outcomes that follow."""
    delivered: int
    """Frames that were detected, and that the sink has written."""
    dropped: int
    """Frames that were left out before their inference; ``drop_reasons`` has why."""
    decode_error: int
    """Frames that could not be decoded; ``decode_errors`` has why."""
    source_error: int
    """Frames that never came: ticks of a live source in an outage."""
    engine_error: int
    """Frames at which the engine failed, hung or died."""
    sink_error: int
    """Frames at which the sink failed."""
    abandoned: int
    """Frames that had not come to their end when the run ended."""


class FramesPart(OutcomesPart):
    """The ``frames``: how many were scheduled, each of their outcomes, and those late or missed."""

    late: int
    """Frames whose latency exceeded ``run.deadline_ms``; one that equals it is in time, and one without a latency is
    never late. 0 without a deadline."""
    missed: int
    """Frames that were late, and frames that were not delivered. Each is counted once."""


class PrimingPart(TypedDict):
    """The ``priming``: throw-away inferences, the CPU time that they used, and the real frames they delayed."""

    inferences: int
    """How many throw-away inferences were run."""
    frames_primed: int
    """Frames before which at least one was run."""
    frames_without_room: int
    """Frames before which none would have ended in time."""
    cpu_s: float
    """CPU time that the process used while it primed."""
    cpu_ms_per_primed_frame: float | None
    """``cpu_s`` per primed frame, in milliseconds. Null when none was primed."""
    frames_delayed: int
    """Frames that fell due before the last throw-away inference had ended."""
    most_delay_ms: float
    """The longest of these delays; 0 without any."""


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
    """One of the ``replacements``: an engine that was lost."""

    why: str
    """Why the engine was lost, in words."""
    at_ms: float
    """When the loss was noticed, since the start of the run."""
    back_ms: float | None
    """When the next engine was ready, since the start of the run. Null when it is not known: in a repaired run."""


def replacements_part(replacements: Sequence[Replacement]) -> list[ReplacementPart]:
    """The ``replacements`` of the manifest."""
    return [{"why": one.why, "at_ms": one.at_us / 1000, "back_ms": one.back_us / 1000} for one in replacements]


class StallPart(TypedDict):
    """One of the ``stalls``: a stage that hung."""

    stage: str
    """The stage that hung: ``source``, ``engine``, ``sink`` or ``housekeeping``."""
    at_ms: float
    """When it was given up, since the start of the run."""
    stack: list[str]
    """Where in the code it hung: a call each, as ``file:line function``, the innermost last. Empty when that is not
    known."""


def stalls_part(stalls: Sequence[Stall]) -> list[StallPart]:
    """The ``stalls`` of the manifest."""
    return [{"stage": stall.stage.value, "at_ms": stall.at_us / 1000, "stack": stall.stack} for stall in stalls]


class WindowsPart(TypedDict):
    """The ``windows``: the last three, of some seconds each, by which a run is called steady."""

    seconds: int
    """The length of each window: a third of the run, from 1 to 5 whole seconds. 0 when the run is too short for
    three."""
    rate: list[float]
    """Frames delivered per second, in each window. Empty when the run is too short, or a window has fewer than 5
    frames."""
    latency_ms: list[float]
    """The median of the seconds' median latencies, in each window. Empty where ``rate`` is."""


def windows_part(length_s: int, windows: Sequence[Window]) -> WindowsPart:
    """The ``windows`` of the manifest."""
    return {
        "seconds": length_s,
        "rate": [round(window.rate, 3) for window in windows],
        "latency_ms": [round(window.latency_ms, 3) for window in windows],
    }


class DevicePart(FiguresPart):
    """One of the ``parts``: a stretch between changes of the device, and its figures."""

    from_ms: float
    """When the stretch began, since the start of the run."""
    to_ms: float
    """When it ended, since the start of the run."""
    execution_devices: list[str]
    """The devices that ran the model in it."""


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
    """The ``housekeeping``: how much was done between frames, and how much of it while a frame was being measured."""

    done: int
    """Steps of housekeeping that were begun."""
    while_measuring: int
    """How many of them were begun while a frame was being measured, or waited."""
    delayed: int
    """Steps on the event loop that had not ended when the next frame was due or expected."""
    most_delay_ms: float
    """How late the latest of these steps ended; 0 without any."""
    longest_ms: float
    """The longest that one step held the event loop."""


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
    """The ``resources``: what the run used, and what others used of the machine meanwhile.

    All are null in a repaired run: only the process knew them.
    """

    cpu_s: float | None
    """CPU time of streamer's process, and of an isolated engine's, from the start of the run to its end, without the
    pauses between rounds."""
    cpu_s_by_stage: dict[str, float] | None
    """CPU time of streamer's own threads in seconds, by stage, as in ``source``, ``engine`` or ``sink``. Threads that
    a runtime starts are not in it."""
    cores_taken_by_others: float | None
    """CPU that other processes used on the cores open to streamer, those of ``--load`` included, in cores: CPU
    seconds per second of the run."""
    cores_taken_by_the_hypervisor: float | None
    """CPU that the hypervisor withheld from these cores (stolen time), in cores."""
    throttled: int | None
    """How often the CPU was throttled during the run, by a control group's quota or by heat."""
    peak_resident_mb: float | None
    """The most memory that streamer's process has had resident since it began, in units of 1,048,576 bytes. Null also
    when the system does not report it."""
    spin_us: int | None
    """How long before a due instant the clock began to spin instead of to sleep, in microseconds, at the end of the
    run. It follows how late the machine wakes up."""
    decoded_while_measuring: int | None
    """Frames that were decoded while another one was measured, since no time was left between two."""
    most_waiting_for_sink: int | None
    """The most results, and dropped frames that the video is to show, that ever waited for the sink of one stream."""
    undrawn: int | None
    """Dropped frames that are missing in the video with ``--video all``, since too many waited for their place."""
    held_pictures: int | None
    """How often a video shows a frame again, since the next one is further away than one picture of an MP4 can
    last."""
    housekeeping: HousekeepingPart | None
    """What streamer did between frames, and what of it could not wait."""
    suspensions: NotRequired[SuspensionsPart | None]
    """Stretches in which streamer's process did not run."""


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
    """The ``repaired``: what was done to a run that was killed."""

    rows: int
    """Whole rows that the run had left in ``frames.csv``."""
    abandoned: int
    """Rows that were added, with the outcome ``abandoned``: frames whose end is not known."""
    torn_lines: int
    """Incomplete last lines of the tables that were cut off."""
    detections_removed: int
    """Rows that were removed from ``detections.csv``: those of frames that have no row, or none with a
    ``sink_start_ms``."""


class FilePart(TypedDict):
    """One of the ``files``."""

    bytes: int
    """Its size."""
    sha256: str
    """Its SHA-256, in hexadecimal."""
