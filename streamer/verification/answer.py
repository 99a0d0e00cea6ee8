"""The sentence that a run ends with: its counts and figures, which other checks verify, agree with ``run.json``."""

from __future__ import annotations

from streamer.verification.backlog import behind_us
from streamer.verification.frames_csv import Rows
from streamer.verification.manifest import NAME, Document, RunFacts
from streamer.verification.reasons import Reasons, Unreadable

FATES = ("dropped", "decode_error", "source_error", "engine_error", "sink_error", "abandoned")
CATCHING_UP = 2
"""A suspension excuses the frames lost in this many times its length."""
OFTEN, TIMES = 0.5, 2
"""A circumstance explains the tail when half of the slow frames met it, and all frames at most half as often."""


def check_answer(rows: Rows, run: RunFacts, document: Document, reasons: Reasons) -> None:
    """Checks that ``answer`` states the counts and figures. Raises Unreadable."""
    found, expected = document.text("answer"), _answer(rows, run, document)
    if found != expected:
        reasons.add(f"{NAME} answer: found {found[:200]!r}, expected {expected!r}")


def _answer(rows: Rows, run: RunFacts, document: Document) -> str:
    frames = {name: document.whole("frames", name) for name in ("scheduled", "delivered", "late", *FATES)}
    delivered, scheduled = frames["delivered"], frames["scheduled"]
    lost = ", ".join(
        f"{frames[fate]} of {scheduled} {fate.replace('_', ' ')} ({_share(frames[fate], scheduled)})"
        for fate in FATES
        if frames[fate]
    )
    if not delivered:
        return f"Nothing was delivered: {lost or 'no frame was due'}."
    seconds = float(document.number("run", "duration_s"))
    achieved = delivered / seconds if seconds > 0 else 0.0
    tail, why = _percentile(document), _why(document)
    if run.closed_loop:
        return (
            f"Closed loop, so not what a camera sees: {achieved:.1f} frames a second, {tail}"
            f"{', ' + lost if lost else ''}{why}."
        )
    fate = lost or "nothing dropped"
    if frames["late"]:
        fate += f", {frames['late']} late ({_share(frames['late'], scheduled)})"
    rates = [run.rate(number) for number in range(len(run.streams))]
    if len(rates) == 1:
        load = f"{float(rates[0]):.5g} fps"
    elif min(rates) == max(rates):
        load = f"{len(rates)} streams of {float(rates[0]):.5g} fps"
    else:
        load = f"{len(rates)} streams, {float(sum(rates)):.5g} fps in all"
    behind = behind_us(rows, run)
    if not lost and behind is None:
        return f"Sustains {load}: {tail}, {fate}{why}."
    if behind is not None:
        fate += f", fell behind by {_length(behind)}"
    got = f"delivers {achieved:.1f} a second, {tail}; {fate}{why}."
    still = _still_us(document)
    excused = (scheduled - delivered) * 1_000_000 <= CATCHING_UP * still * sum(rates) and (behind or 0) <= still
    if still and excused:
        return f"Not known whether it sustains {load}, as it did not run for {_length(still)}: {got}"
    return f"Does not sustain {load}: {got}"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "of none"  # a manifest may hold any numbers


def _still_us(document: Document) -> int:
    """How long the process did not run, in microseconds, as ``run.json`` has it: no row shows that."""
    if not document.has("resources", "suspensions"):
        return 0
    return round(document.number("resources", "suspensions", "total_s") * 1_000_000)


def _length(us: int) -> str:
    return f"{us / 1_000_000:.1f} s" if us >= 1_000_000 else f"{us / 1000:.1f} ms"


def _percentile(document: Document) -> str:
    for name in ("p95", "p90", "p50"):
        if document.has("latency_ms", name):
            value, upper = document.number("latency_ms", name), document.number("latency_ms", "upper", name)
            return f"{name} {float(value):.1f} ms (at most {float(upper):.1f})"
    return f"{document.whole('latency_ms', 'n')} frames are too few for a percentile"


def _why(document: Document) -> str:
    """The step in which most of the slow frames were slow, and the circumstance that most of them met."""
    if not document.has("tail"):
        return ""
    steps = document.group("tail", "steps")
    # Among steps with as many frames, the one that a frame passes first stands for them.
    most = sorted(steps, key=lambda name: -document.whole("tail", "steps", name, "frames"))
    if not most:
        raise Unreadable(f"{NAME} tail.steps: found none, expected one at least")
    step = most[0]
    share = float(document.number("tail", "steps", step, "share"))
    why = f"; of the slowest 5 %, {share:.0%} were slow {'' if step.startswith('waiting') else 'in '}{step}"
    for name in document.group("tail", "circumstances"):
        path = ("tail", "circumstances", name)
        slow, usual = float(document.number(*path, "share_of_slow")), float(document.number(*path, "share_of_all"))
        if slow >= OFTEN and slow >= TIMES * usual:
            return f"{why} ({slow:.0%} with {name}, of all frames {usual:.0%})"
    return why
