"""Doubts about a run's figures: each a sentence with a number.

A doubt is a function of a run's facts, and a row of `DOUBTS`. Of a run that was killed nothing is doubted that only
observing it would have told.
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
"""A model that finds nothing in so many frames is to be doubted."""
ROUNDING = 0.01
"""What a certain model may exceed 1 by, where it counts in 8 bits."""
UNGATED_SHARE = 0.01
"""From this share of frames on that are decoded beside another's inference, that one's figures are of both."""
DELAYED_SHARE = 0.005
"""From this share of frames on that priming or housekeeping delays, it harms the tail that it is not to touch."""
LATENESS_SHARE = 0.1
"""From this share of the latency on, our own lateness blurs it."""

Doubt = Callable[[Facts], list[str]]
"""What is to be doubted, in sentences; none when nothing is."""


def of_the_kill(facts: Facts) -> list[str]:
    """A run that was killed, and how its record was made."""
    if facts.repaired is None:
        return []
    return [
        f"the run was killed at {facts.duration_us / 1e6:.3f} s or later, and run.json was made from "
        f"{facts.repaired['rows']} rows by 'streamer verify --repair': what the machine did meanwhile is not known, "
        f"nor the end of {facts.repaired['abandoned']} frames, which count as abandoned"
    ]


def raised_before(facts: Facts) -> list[str]:
    """What the model and the sources raise, or a run that was killed did before its first frame."""
    return list(facts.raised)


def of_the_faults(facts: Facts) -> list[str]:
    """Faults on purpose, and what they did that is to be known."""
    return [] if facts.observed is None else list(facts.observed.fault_doubts)


def of_missed_faults(facts: Facts) -> list[str]:
    """Faults on purpose that did not come about."""
    return [] if facts.observed is None else list(facts.observed.faults_missed)


def of_the_pipeline(facts: Facts) -> list[str]:
    """What the run could not do as it should."""
    if facts.observed is None:
        return []
    found = []
    frames, ungated, undrawn = facts.totals.frames, facts.observed.ungated, facts.observed.undrawn
    if ungated > UNGATED_SHARE * frames["scheduled"]:
        found.append(
            f"the engine left no gap to decode in: {ungated} of {frames['scheduled']} frames were decoded "
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
    """What is done between frames, and found no room there."""
    found = []
    if done is not None and done["while_measuring"]:
        found.append(
            f"the engine left no gap for housekeeping: {done['while_measuring']} of {done['done']} times it was done "
            "between two inferences while a frame waited or was being measured, for "
            f"{done['longest_ms']:.1f} ms at most"
        )
    if done is not None and done["delayed"] > DELAYED_SHARE * scheduled:
        found.append(
            f"housekeeping delayed {done['delayed']} of {scheduled} frames, by {done['most_delay_ms']:.1f} ms at "
            "most: between two frames there is less time than it takes"
        )
    return found


def of_damage(facts: Facts) -> list[str]:
    """Pictures that may be smeared."""
    count, delivered = facts.totals.after_damage, facts.totals.frames["delivered"]
    if not count:
        return []
    return [
        f"{count} of {delivered} delivered frames may be smeared: what they refer to was damaged or did not come, "
        "and no key frame has come since; frames.csv marks them after_damage"
    ]


def of_outages(facts: Facts) -> list[str]:
    """Stretches in which a live source gave no frame."""
    outages = facts.outages
    if outages is None or not outages["count"]:
        return []
    number = "1 outage" if outages["count"] == 1 else f"{outages['count']} outages"
    return [
        f"there was no signal for {outages['total_s']:.1f} s, in {number}: "
        "ages are those of a camera that was away, too"
    ]


def of_file_gaps(facts: Facts) -> list[str]:
    """Gaps in the times of a file, for which the run has waited."""
    found = []
    for number, stream in enumerate(facts.setup["streams"]):
        scheduled = sum(facts.totals.of_streams[number, outcome] for outcome in Outcome)
        # One that was stopped may have waited for the next.
        come_to = scheduled + (facts.stopped_by is not None)
        waited = [gap for gap in stream.get("gaps", []) if gap["frame"] < come_to and not gap["skipped_ms"]]
        if waited:
            told = in_words([(gap["frame"], gap["ms"] / 1000) for gap in waited])
            prefix = f"stream {number}: " if number else ""
            found.append(f"{prefix}the times of the file have {told}: nothing is due meanwhile")
    return found


def of_replacements(facts: Facts) -> list[str]:
    """Engines that were lost and replaced."""
    return [
        f"the engine was replaced at {one['at_ms'] / 1000:.1f} s, which took "
        f"{(one['back_ms'] - one['at_ms']) / 1000:.1f} s: {one['why']}"
        for one in facts.replacements
        if one["back_ms"] is not None
    ]


def of_the_figures(facts: Facts) -> list[str]:
    """Too few frames, and a lateness of our own that is too large."""
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
                f"frames left late: lateness {name} is {late:.3f} ms, {late / whole:.0%} of the median latency; "
                "the machine is too busy, or too slow for this rate"
            )
        break
    return found


def of_the_detections(facts: Facts) -> list[str]:
    """A model that finds nothing at all, and one whose confidences are none."""
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
    """Windows that do not agree."""
    windows, length_s = facts.totals.windows, facts.totals.window_s
    suspensions = None if facts.observed is None else facts.observed.suspensions
    if suspensions is not None:
        last = suspensions["each"][-1]
        if last["at_ms"] + last["lasted_ms"] > facts.duration_us / 1000 - len(windows) * length_s * 1000:
            return []  # which the doubt about it tells
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
    """Priming that found no room, or was in the way."""
    if facts.observed is None or facts.observed.priming is None:
        return []
    found = []
    priming, scheduled = facts.observed.priming, facts.totals.frames["scheduled"]
    if not priming["frames_primed"]:
        found.append(
            "nothing was primed: there was no idle gap that the schedule tells of (a closed loop, a live source "
            "and simulated arrivals have none, and a busy engine leaves none)"
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
"""All of them, in the order in which they are told."""
AT_THE_END: tuple[Doubt, ...] = (of_missed_faults, of_the_figures)
"""Those that a run without a frame would raise."""


def doubts(facts: Facts, without: Collection[Doubt] = ()) -> list[str]:
    """What is to be doubted about a run, in the order of `DOUBTS`."""
    return [sentence for doubt in DOUBTS if doubt not in without for sentence in doubt(facts)]
