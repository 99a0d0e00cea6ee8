"""Doubts about a run's figures: each a sentence with a number.

A doubt is a function of a run's facts, and a row of `DOUBTS`. For a run that was killed, doubts that need observed
facts are not raised.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from streamer.detection.preprocess import Preprocessing
from streamer.engines.config import FEW_DIGITS, float_precision
from streamer.ledger.record import Outcome
from streamer.run.facts import Facts
from streamer.run.machine_doubts import of_suspensions, of_the_engine, of_the_load, of_the_machine, suspended_share
from streamer.run.measured_parts import HousekeepingPart
from streamer.schedule.file_gaps import in_words
from streamer.stats.percentiles import PERCENTILES, frames_needed, parse_percentile, spoken
from streamer.stats.steadiness import agree

WORTH_TELLING = "p95"
FRAMES_TO_FIND_IN = 20
"""A model that finds nothing in so many frames raises a doubt."""
ROUNDING = 0.01
"""How far a confidence may exceed 1: a quantized model counts in 8 bits."""
UNGATED_SHARE = 0.01
"""The share of frames decoded beside another's inference above which the figures are of both."""
DELAYED_SHARE = 0.005
"""The share of frames delayed by priming or housekeeping above which these harm the tail."""
LATENESS_SHARE = 0.1
"""The share of the median latency above which streamer's own lateness blurs it."""

Doubt = Callable[[Facts], list[str]]
"""Returns the doubts of a run, a sentence each; none when there is nothing to doubt."""


def of_the_kill(facts: Facts) -> list[str]:
    """The run was killed, and its ``run.json`` made by a repair."""
    if facts.repaired is None:
        return []
    return [
        f"the run was killed at {facts.duration_us / 1e6:.3f} s or later, and run.json was made from "
        f"{facts.repaired['rows']} rows by 'streamer verify --repair': what the machine did meanwhile is not known, "
        f"nor the end of {facts.repaired['abandoned']} frames, which count as abandoned"
    ]


def raised_before(facts: Facts) -> list[str]:
    """The doubts of the model and the sources; after a kill, those from before the first frame."""
    return list(facts.raised)


def of_the_faults(facts: Facts) -> list[str]:
    """Faults were injected on purpose, and may have changed the size of frames."""
    return [] if facts.observed is None else list(facts.observed.fault_doubts)


def of_missed_faults(facts: Facts) -> list[str]:
    """Faults on purpose were not triggered."""
    return [] if facts.observed is None else list(facts.observed.faults_missed)


def of_the_pipeline(facts: Facts) -> list[str]:
    """The pipeline had no room to decode or for housekeeping, drew frames twice or not at all, or dropped most."""
    if facts.observed is None:
        return []
    found = []
    frames, ungated, undrawn = facts.totals.frames, facts.observed.ungated, facts.observed.undrawn
    if ungated > UNGATED_SHARE * frames["scheduled"]:
        found.append(
            f"the engine left no idle time to decode in: {ungated} of {frames['scheduled']} frames were decoded "
            "while another was being measured, which costs inference 5 to 10 % on two cores"
        )
    found += _of_housekeeping(facts.observed.resources["housekeeping"], frames["scheduled"])
    if undrawn:
        found.append(f"{undrawn} dropped frames are not in the video: too many waited for their place")
    if facts.observed.held:
        pictures = "1 picture" if facts.observed.held == 1 else f"{facts.observed.held} pictures"
        found.append(
            f"the annotated video has {pictures} more than frames: where a gap is longer than one picture of an MP4 "
            "can last, the one before it is shown again"
        )
    if frames["dropped"] > frames["delivered"]:
        found.append(f"more frames were dropped than delivered: {frames['dropped']} and {frames['delivered']}")
    return found


def _of_housekeeping(done: HousekeepingPart | None, scheduled: int) -> list[str]:
    """Housekeeping found no room between frames, or delayed some."""
    found = []
    if done is not None and done["while_measuring"]:
        found.append(
            f"the engine left no idle time for housekeeping: {done['while_measuring']} of {done['done']} times it "
            "was done between two inferences while a frame waited or was being measured, for "
            f"{done['longest_ms']:.1f} ms at most"
        )
    if done is not None and done["delayed"] > DELAYED_SHARE * scheduled:
        found.append(
            f"housekeeping delayed {done['delayed']} of {scheduled} frames, by {done['most_delay_ms']:.1f} ms at "
            "most: between two frames there is less time than it takes"
        )
    return found


def of_damage(facts: Facts) -> list[str]:
    """Delivered frames may be smeared."""
    count, delivered = facts.totals.after_damage, facts.totals.frames["delivered"]
    if not count:
        return []
    return [
        f"{count} of {delivered} delivered frames may be smeared: what they refer to was damaged or did not come, "
        "and no key frame has come since; frames.csv marks them after_damage"
    ]


def of_outages(facts: Facts) -> list[str]:
    """A live source gave no frame for a while."""
    outages = facts.outages
    if outages is None or not outages["count"]:
        return []
    number = "1 outage" if outages["count"] == 1 else f"{outages['count']} outages"
    return [
        f"there was no signal for {outages['total_s']:.1f} s, in {number}: "
        "ages are those of a camera that was away, too"
    ]


def of_file_gaps(facts: Facts) -> list[str]:
    """The run waited for gaps in the times of a file."""
    found = []
    for number, stream in enumerate(facts.setup["streams"]):
        scheduled = sum(facts.totals.of_streams[number, outcome] for outcome in Outcome)
        # One that was stopped may have waited for the next.
        come_to = scheduled + (facts.stopped_by is not None)
        waited = [gap for gap in stream.get("gaps", []) if gap["frame"] < come_to and not gap["skipped_ms"]]
        if waited:
            listed = in_words([(gap["frame"], gap["ms"] / 1000) for gap in waited])
            prefix = f"stream {number}: " if number else ""
            found.append(f"{prefix}the times of the file have {listed}: nothing is due meanwhile")
    return found


def of_replacements(facts: Facts) -> list[str]:
    """Engines were lost and replaced."""
    return [
        f"the engine was replaced at {one['at_ms'] / 1000:.1f} s, which took "
        f"{(one['back_ms'] - one['at_ms']) / 1000:.1f} s: {one['why']}"
        for one in facts.replacements
        if one["back_ms"] is not None
    ]


def of_the_figures(facts: Facts) -> list[str]:
    """There are too few frames for a percentile, or streamer's own lateness is too large."""
    found = []
    until = facts.setup["run"]["until"]
    latency, lateness = facts.totals.figures["latency"], facts.totals.figures["lateness"]
    wanted = WORTH_TELLING if until is None else parse_percentile(until)
    if latency[wanted] is None:
        found.append(
            f"too few frames: {spoken(wanted)} needs {frames_needed(PERCENTILES[wanted]):,}, the run has "
            f"{latency.n:,}; play a longer source, or add --loop --until {spoken(wanted)}"
        )
    suspended = suspended_share(facts)
    for name in ("p99", "p95", "p50"):
        late, whole = lateness[name], latency["p50"]
        if late is None or whole is None or 1 - PERCENTILES[name] <= suspended:
            continue
        if late > LATENESS_SHARE * whole:
            found.append(
                f"frames were offered late: lateness {name} is {late:.3f} ms, {late / whole:.0%} of the median "
                "latency; the machine is too busy, or too slow for this rate"
            )
        break
    return found


def of_the_detections(facts: Facts) -> list[str]:
    """The model finds nothing at all, or its confidences exceed 1."""
    if (surest := facts.totals.surest) > 1 + ROUNDING:
        return [
            f"the model is more than certain: confidences reach {surest:.3f}, and none is over 1; what it puts out "
            "is of another kind than its head says, or was damaged when it was quantized"
        ]
    delivered = facts.totals.frames["delivered"]
    gray = facts.setup["engine"]["config_requested"].get("preprocess") == Preprocessing.OFF
    if facts.totals.objects or delivered < FRAMES_TO_FIND_IN or gray:
        return []
    precision = float_precision(facts.setup["engine"]["config_in_force"])
    digits = f", or need more digits than {precision} has (precision=f32)" if precision in FEW_DIGITS else ""
    return [
        f"nothing was found in any of {delivered:,} frames: the model may have learnt other classes than these "
        "frames show, or from pictures of another kind (values up to 255, blue before red)"
        f"{digits}; try a lower --conf"
    ]


def of_steadiness(facts: Facts) -> list[str]:
    """The last windows do not agree."""
    windows, length_s = facts.totals.windows, facts.totals.window_s
    suspensions = None if facts.observed is None else facts.observed.suspensions
    if suspensions is not None:
        last = suspensions["each"][-1]
        if last["at_ms"] + last["lasted_ms"] > facts.duration_us / 1000 - len(windows) * length_s * 1000:
            return []  # the doubt about the suspension says why
    if not windows:
        return []
    found = []
    rates, latencies = [one.rate for one in windows], [one.latency_ms for one in windows]
    for name, values, unit in (("rates", rates, "frames a second"), ("median latencies", latencies, "ms")):
        if not agree(values):
            listed = ", ".join(f"{value:.1f}" for value in values)
            found.append(f"not steady: the {name} of the last three windows of {length_s} s are {listed} {unit}")
    return found


def of_priming(facts: Facts) -> list[str]:
    """Priming found no room, or delayed frames."""
    if facts.observed is None or facts.observed.priming is None:
        return []
    found = []
    priming, scheduled = facts.observed.priming, facts.totals.frames["scheduled"]
    if not priming["frames_primed"]:
        found.append(
            "nothing was primed: no idle time was known ahead (a closed loop, a live source and "
            "simulated arrivals have none, and a busy engine leaves none)"
        )
    if priming["frames_delayed"] > DELAYED_SHARE * scheduled:
        found.append(
            f"priming delayed {priming['frames_delayed']} of {scheduled} frames, by "
            f"{priming['most_delay_ms']:.1f} ms at most: inferences here take too unevenly long to be planned"
        )
    return found


DOUBTS: tuple[Doubt, ...] = (
    of_the_kill,
    raised_before,
    of_the_faults,
    of_missed_faults,
    of_suspensions,
    of_the_pipeline,
    of_damage,
    of_outages,
    of_file_gaps,
    of_replacements,
    of_the_figures,
    of_the_detections,
    of_steadiness,
    of_priming,
    of_the_load,
    of_the_machine,
    of_the_engine,
)
"""All doubts, in the order in which they are printed."""
AT_THE_END: tuple[Doubt, ...] = (of_missed_faults, of_the_figures)
"""The doubts that a run without any frame would raise."""


def doubts(facts: Facts, without: Collection[Doubt] = ()) -> list[str]:
    """The doubts about a run, in the order of `DOUBTS`, a sentence each."""
    return [sentence for doubt in DOUBTS if doubt not in without for sentence in doubt(facts)]
