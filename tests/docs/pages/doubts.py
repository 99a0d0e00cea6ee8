"""docs/reference/doubts.md, made from the rows of docs/reference/claims.md and from what to do about each doubt."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from tests.docs import claims
from tests.docs.pages.markdown import MADE, table

HEADING = f"""# Doubts

A doubt is a sentence in the report of a run, and in `doubts` of `run.json`. It questions the run's figures.
It changes neither the figures nor the exit code. {MADE}

- A value of the run stands where the sentence has braces.
- *stated when* is the rule. [The claims](claims.md) have the functions, all thresholds and the error rates.
- *touches* names the figures that are in doubt: `latency` (with the service time and the lateness), `boxes`, `age`
  (with the deadline, which follows the rate), or the annotated `video`. The figures are as they seem where it says
  `nothing`.
- A note is no doubt. It says what is to be known before a run.

"""
SIGNS = "detection.soundness."
"""The module of the signs that a model is unsound: they stand in another sentence."""
SECTIONS = {
    "What a run doubts": "Any run",
    "What a run doubts of a file": "A file",
    "What a run doubts of a camera or an address": "A camera or an address",
}
"""Headings within the table of claims, and what the page calls them."""
OF_COMPARISONS = (
    "studies.compare.document.document_of",
    "studies.compare.finished_runs.NOT_INTERLEAVED",
    "studies.compare.finished_runs._difference_doubts",
    "studies.compare.finished_runs._deletion_doubts",
    "studies.run_figures.undecoded",
)
"""The places of the doubts of a comparison, in the table of claims."""
SIGNS_SECTION = (
    "Signs of an unsound model",
    "Each of these stands for `{sign}` in the doubt `{name} looks damaged: {sign}`. The outputs are those of the "
    "model\nfor the warm-up frame.",
)
COMPARISON_SECTION = (
    "A comparison",
    "`compare` prints these, and `doubts` of `compare.json` has them. The doubts of an engine's run are in the "
    "`run.json`\nof its directory.",
)
MORE = """
## Other studies

`soak` prints the doubts of its parts. `pace`, `parity` and `bench` have no doubts of their own. They have notes. The
`run.json` of each rate of `pace` has the doubts of its run.
"""
LATENCY, BOXES, AGE, VIDEO, NOTHING = "latency", "boxes", "age", "video", "nothing"
MENDS = {
    "the run was killed at": (
        VIDEO,
        "Nothing; the figures are those of the remaining rows. See [killed runs](../howto/killed-runs.md).",
    ),
    "not known: the run was killed": (NOTHING, "Nothing; only the process knew."),
    "{name} looks damaged": (
        BOXES,
        "Look up the sign [below](#signs-of-an-unsound-model), and look at the annotated "
        "video. Use another export of the model.",
    ),
    "its metadata says that {batch}": (BOXES, "Export the model again with batch=1."),
    "it disagrees with {folder}": (BOXES, "Quantize again on frames like those the camera sees."),
    "{wrong} of its {scores} scores": (
        BOXES,
        "Try `precision=f32`. If it stays, the weights are damaged: use the original.",
    ),
    "its boxes and scores share": (BOXES, "Quantize the original again: `streamer models quantize`."),
    "its scores go from": (BOXES, "Check the head that `streamer models list` shows, or use the original."),
    "all of its {scores} scores": (BOXES, "Use another checkpoint: this one finds nothing."),
    "all of its {boxes} boxes end": (BOXES, "Check the head that `streamer models list` shows."),
    "{off} of its {boxes} boxes": (BOXES, "Check the head and the preprocessing that `streamer models list` shows."),
    "it finds {objects} objects": (BOXES, "Give the right `--input` to `streamer models import`."),
    "the engine left no idle time to decode in": (LATENCY, "Use a lower rate or a faster engine."),
    "{undrawn} dropped frames": (VIDEO, "Nothing; they are in the ledger, but not in the video."),
    "the annotated video has": (VIDEO, "Nothing; the repeated frames have no rows."),
    "more frames were dropped": (AGE, "Lower the rate, or use a faster engine: `streamer pace` finds the rate."),
    "the engine left no idle time for housekeeping": (
        LATENCY,
        "Lower the rate, or use a faster engine. No column "
        "marks these frames; `resources.housekeeping` in `run.json` counts them.",
    ),
    "housekeeping delayed": (
        LATENCY,
        "Lower the rate. No column marks these frames; `resources.housekeeping` in `run.json` counts them.",
    ),
    "the process did not run": (f"{LATENCY}, {AGE}", "Repeat the run without stopping it."),
    "{after_damage} of {delivered}": (
        BOXES,
        "Leave out the rows whose `reason` is `after_damage`, or mend the stream.",
    ),
    "there was no signal": (
        AGE,
        "Look at `gaps` in `run.json`, which has the reason of each outage, and at the network.",
    ),
    "{prefix}the times of the file": (AGE, "Give `--skip-gaps` if the pause is of no interest."),
    "a gap of {length}": (
        AGE,
        "Give `--skip-gaps` if the pause is of no interest. The frame is the last one before "
        "the gap; `streams.gaps.frame` in `run.json` is the one after it.",
    ),
    "the engine was replaced": (f"{LATENCY}, {AGE}", "Find out why it died: the sentence ends with the reason."),
    "too few frames": (
        LATENCY,
        "Play a longer source, or add `--loop --until`. Until then the percentile is withheld.",
    ),
    "frames were offered late": (LATENCY, "Keep other work off the machine, or lower the rate."),
    "the model is more than certain": (
        BOXES,
        "Check the head that `streamer models list` shows, or use the original.",
    ),
    "nothing was found": (BOXES, "Give a model that knows these classes; check its preprocessing; lower `--conf`."),
    "not steady": (LATENCY, "Run for longer, or keep other work off the machine."),
    "nothing was primed": (LATENCY, "Leave `prime=on` out, or lower the rate."),
    "priming delayed": (LATENCY, "Leave `prime=on` out."),
    "a quota allows": (LATENCY, "Pin cores instead of a quota: see [containers](../howto/containers.md)."),
    "the CPU governor": (LATENCY, "Set the governor `performance`."),
    "other processes took": (LATENCY, "Stop them, or repeat the run in a quieter time."),
    "the hypervisor took": (LATENCY, "Repeat the run in a quieter time, or on another machine."),
    "the CPU was throttled": (LATENCY, "Lift the quota, or cool the machine."),
    "the effective precision": (
        f"{LATENCY}, {BOXES}",
        "Request a precision that this CPU has, or compare by the effective precision.",
    ),
    "{before} handed over": (f"{LATENCY}, {BOXES}", "Compare figures of one device only: `parts` in `run.json`."),
    "the load fell short": (
        LATENCY,
        "Take `load.took` in `run.json` for the load of this run, or request a smaller one.",
    ),
    "a process of the load": (LATENCY, "Request a smaller load."),
    "faults were injected": (f"{LATENCY}, {BOXES}, {AGE}, {VIDEO}", "Nothing; `--faults` requested them."),
    "{name} ({kind}) was not triggered": (NOTHING, "Give an earlier frame or time, or run for longer."),
    "frame times {trouble}: the frame rate of {rate} is used instead ({fault})": (
        f"{LATENCY}, {AGE}",
        "Nothing; `--faults` requested it.",
    ),
    "frame times {trouble}: the frame rate of {rate} is used instead": (
        f"{LATENCY}, {AGE}, {VIDEO}",
        "Give `--fps N` if the rate is another.",
    ),
    "{wrong} of {frames} frame times": (f"{LATENCY}, {AGE}", "Nothing; single times are interpolated."),
    "the file says no frame rate": (f"{LATENCY}, {AGE}, {VIDEO}", "Give `--fps N`."),
    "packets are missing": (BOXES, "Record the file again. No column marks the places."),
    "{unplayed} frames are not played": (NOTHING, "Cut the file where it changes, and play the parts."),
    "the file is cut off": (NOTHING, "Copy or record it again."),
    "{empty} packets raised": (NOTHING, "Nothing; the file holds no picture for these packets. They have no rows."),
    "{name} is coded by fields": (f"{LATENCY}, {BOXES}", "Do as the sentence says."),
    "the picture size changes": (f"{BOXES}, {VIDEO}", "Cut the file where the sentence says, and play the parts."),
    "the sample aspect ratio changes": (VIDEO, "Nothing; only the shape of the video differs."),
    "{images} not played": (f"{LATENCY}, {VIDEO}", "Convert the images, or fit them to one size."),
    "{name} holds {pictures}": (NOTHING, "Save each picture as an image of its own."),
    "the frame rate of {source} could not": (
        AGE,
        "Check the announced rate; deadline and ages are computed from it.",
    ),
    "{source}{announces} comes faster": (f"{LATENCY}, {AGE}", "Lower the camera's rate or size."),
    "{source} announces {announced}": (NOTHING, "Nothing; the measured rate is used."),
    "frames came at {before}": (
        f"{AGE}, {VIDEO}",
        "Set the camera to a fixed rate, or let it settle before the run.",
    ),
    "{source} was away": (f"{AGE}, {VIDEO}", "Repeat the run when the camera is there, if its own rate matters."),
    "{frames} frames came without": (VIDEO, "Nothing; they are placed by their arrival."),
    "frame times {trouble}: the instants": (VIDEO, "Mend the camera's clock if `pts_ms` matters."),
    "the times that {source} gives": (VIDEO, "Mend the camera's clock if `pts_ms` matters."),
    "the codec changes": (NOTHING, "Nothing; frames before and after are decoded differently."),
    "the picture turns": (f"{BOXES}, {VIDEO}", "Nothing; it is shown in the shape of the first."),
    "{source} lost {packets}": (f"{BOXES}, {VIDEO}", "Give `--rtsp-transport tcp`."),
    "{frames} could not be decoded": (
        NOTHING,
        "Nothing; the frames are left out for all engines alike. Record the source again if they matter.",
    ),
    "too little was seen for a verdict": (LATENCY, "Compare for longer: `--loop --duration 2m`."),
    "the runs were not interleaved": (
        LATENCY,
        "Let `streamer compare SOURCE` run the engines: they take turns there.",
    ),
    "the runs differ in more than": (f"{LATENCY}, {BOXES}", "Repeat one of the runs with the other's condition."),
    "the runs are not of the same pictures": (
        f"{LATENCY}, {BOXES}",
        "Record the camera, and play the file to each engine.",
    ),
    "the first {frames} of {scheduled}": (LATENCY, "Give the next soak a larger `--keep`."),
}
"""What is in doubt and what to do, by the beginning of the sentence. The longest beginning that fits counts."""
SHARES = frozenset(
    (
        *("UNGATED_SHARE", "DELAYED_SHARE", "LATENESS_SHARE", "MOST_OFF", "AGREE"),
        *("MOST_CPU", "MOST_WAITED", "FALLS_SHORT", "DOUBTED", "SAME"),
        *("CLOSE", "ACCEPTED", "BARELY", "NEVER_WAITED", "HARDLY_WAITED"),
        *("RATES_DIFFER", "_SAME_SHAPE"),
    )
)
"""Thresholds that are shares, and are written in percent."""


def page() -> str:
    """The text of the page."""
    sections = list(_sections())
    unused = MENDS.keys() - {_key(row) for _, _, rows in sections for row in rows}
    assert not unused, f"no doubt begins so: {sorted(unused)}"
    tables = (
        f"## {title}\n\n{about}{table('doubt', 'stated when', 'touches', 'what to do', rows=map(_cells, rows))}"
        for title, about, rows in sections
    )
    return HEADING + "\n".join(tables) + MORE


def _sections() -> Iterator[tuple[str, str, list[claims.Row]]]:
    """The rows of the table of claims, by the heading about doubts under which they are, and a text above them."""
    text = claims.PAGE.read_text(encoding="utf-8")
    lines = text.splitlines()
    headings = {
        number: found[1] for number, line in enumerate(lines, 1) if (found := re.match(r"\| \*\*(.+?)\*\*", line))
    }
    rows = list(claims.table(text))
    for heading, title in SECTIONS.items():
        (first,) = (number for number, name in headings.items() if name == heading)
        last = min((number for number in headings if number > first), default=len(lines) + 1)
        under = [row for row in rows if first < row.line < last]
        yield title, "", [row for row in under if not _is_sign(row)]
        if signs := [row for row in under if _is_sign(row)]:
            yield *_text(SIGNS_SECTION), signs
    yield *_text(COMPARISON_SECTION), [row for row in rows if row.places[0] in OF_COMPARISONS]


def _text(section: tuple[str, str]) -> tuple[str, str]:
    return section[0], f"{section[1]}\n\n"


def _is_sign(row: claims.Row) -> bool:
    return row.places[0].startswith(SIGNS)


def _key(row: claims.Row) -> str:
    fitting = [start for start in MENDS if row.sentences[0].startswith(start)]
    assert fitting, f"what to do about {row.sentences[0]!r} is not in tests/docs/pages/doubts.py"
    return max(fitting, key=len)


def _cells(row: claims.Row) -> tuple[str, str, str, str]:
    """The whole sentence with its parts behind it, its rule with numbers, what it touches, and what to do."""
    sentence, *parts = (f"`{one}`" for one in row.sentences)
    whole = sentence + (f"; with {', '.join(parts)}" if parts else "")
    rule = re.sub("^one or more", "at least one", re.sub("^one or more$", "there is at least one", row.rule))
    for name, value in row.thresholds.items():
        rule = rule.replace(f"`{name.split('.')[-1]}`", _number(name.split(".")[-1], value))
    unexplained = re.findall(r"`_?[A-Z][A-Z_]+`", rule)
    assert not unexplained, f"add {unexplained} to the thresholds of {row.sentences[0]!r}"
    return whole, rule, *MENDS[_key(row)]


def _number(name: str, value: str) -> str:
    """A threshold with its unit."""
    if name in SHARES:
        return f"{float(100 * Fraction(value)):g} %"
    if name.endswith("_US"):
        return f"{int(value) / 1_000_000:g} s"
    return f"{value} s" if name.endswith("_S") else value
