"""docs/reference/doubts.md, made from the rows of docs/reference/claims.md and from what to do about each doubt."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.docs import claims
from tests.docs.pages.markdown import MADE, table

HEADING = f"""# Doubts

A doubt is a sentence in the report of a run, and in `doubts` of `run.json`. It questions the run's figures.
It changes neither the figures nor the exit code. {MADE}

- A value of the run stands where the sentence has braces.
- *stated when* is the rule, with its thresholds in brackets. [The claims](claims.md) have the functions and the error
  rates.
- A note is no doubt. It says what is to be known before a run.

"""
SECTIONS = {
    "What a run doubts": "Any run",
    "What a run doubts of a file": "A file",
    "What a run doubts of a camera or an address": "A camera or an address",
}
"""Headings within the table of claims, and what the page calls them."""
MENDS = {
    "the run was killed at": "Nothing; the figures are those of the remaining rows. See [killed "
    "runs](../howto/killed-runs.md).",
    "not known: the run was killed": "Nothing; only the process knew.",
    "{name} looks damaged": "Read the sign that follows, and look at the annotated video. Use "
    "another export of the model.",
    "its metadata says that {batch}": "Export the model again with batch=1.",
    "it disagrees with {folder}": "Quantize again on frames like those the camera sees.",
    "{wrong} of its {scores} scores": "Try `precision=f32`. If it stays, the weights are damaged.",
    "its boxes and scores share": "Quantize the original again: `streamer models quantize`.",
    "its scores go from": "Check the head that `streamer models list` shows, or use the original.",
    "all of its {scores} scores": "Use another checkpoint: this one finds nothing.",
    "all of its {boxes} boxes end": "Check the head that `streamer models list` shows.",
    "{off} of its {boxes} boxes": "Check the head and the preprocessing that `streamer models list` shows.",
    "it finds {objects} objects": "Give the right `--input` to `streamer models import`.",
    "the engine left no idle time to decode in": "Use a lower rate or a faster engine; decoding slowed the inference.",
    "{undrawn} dropped frames": "Nothing; they are in the ledger, but not in the video.",
    "the annotated video has": "Nothing; the repeated frames have no rows.",
    "more frames were dropped": "Lower the rate, or use a faster engine: `streamer pace` finds the rate.",
    "the engine left no idle time for housekeeping": "Lower the rate. Figures of these frames include streamer's own work.",
    "housekeeping delayed": "Lower the rate, or look at the frames that were not delayed.",
    "the process did not run": "Repeat the run without stopping it.",
    "{after_damage} of {delivered}": "Leave out frames marked `after_damage`, or mend the stream.",
    "there was no signal": "Look at `gaps` in `run.json`, and at the network.",
    "{prefix}the times of the file": "Give `--skip-gaps` if the pause is of no interest.",
    "a gap of {length}": "Give `--skip-gaps` if the pause is of no interest.",
    "the engine was replaced": "Find out why it died: the sentence ends with the reason.",
    "too few frames": "Play a longer source, or add `--loop --until`.",
    "frames were offered late": "Keep other work off the machine, or lower the rate.",
    "the model is more than certain": "Check the head that `streamer models list` shows, or use the original.",
    "nothing was found": "Give a model that knows these classes; check its preprocessing; lower `--conf`.",
    "not steady": "Run for longer, or keep other work off the machine.",
    "nothing was primed": "Leave `prime=on` out, or lower the rate.",
    "priming delayed": "Leave `prime=on` out.",
    "a quota allows": "Pin cores instead of a quota: see [containers](../howto/containers.md).",
    "the CPU governor": "Set the governor `performance`.",
    "other processes took": "Stop them, or repeat the run in a quieter time.",
    "the hypervisor took": "Repeat the run in a quieter time, or on another machine.",
    "the CPU was throttled": "Lift the quota, or cool the machine.",
    "the effective precision": "Request a precision that this CPU has, or compare by the effective precision.",
    "{before} handed over": "Compare figures of one device only: `parts` in `run.json`.",
    "the load fell short": "Use the measured usage as the load of this run, not the request.",
    "a process of the load": "Request a smaller load.",
    "faults were injected": "Nothing; `--faults` requested them.",
    "{name} ({kind}) was not triggered": "Give an earlier frame or time, or run for longer.",
    "frame times {trouble}: the frame rate of {rate} is used instead ({fault})": "Nothing; `--faults` requested it.",
    "frame times {trouble}: the frame rate of {rate} is used instead": "Give `--fps N` if the rate is another.",
    "{wrong} of {frames} frame times": "Nothing; single times are interpolated.",
    "the file says no frame rate": "Give `--fps N`.",
    "packets are missing": "Record again, or use the frames that are there.",
    "{unplayed} frames are not played": "Cut the file where it changes, and play the parts.",
    "the file is cut off": "Copy or record it again.",
    "{empty} packets raised": "Look at these frames in a player.",
    "{name} is coded by fields": "Do as the sentence says.",
    "the picture size changes": "Compare frames of one size only.",
    "the sample aspect ratio changes": "Nothing; only the shape of the video differs.",
    "{images} not played": "Convert the images, or fit them to one size.",
    "{name} holds {pictures}": "Save each picture as an image of its own.",
    "the frame rate of {source} could not": "Check the announced rate; deadline and ages are computed from it.",
    "{source}{announces} comes faster": "Lower the camera's rate or size.",
    "{source} announces {announced}": "Nothing; the measured rate is used.",
    "frames came at {before}": "Measure with a steady camera, or read ages and deadline with care.",
    "{source} was away": "Repeat the run when the camera is there, if its own rate matters.",
    "{frames} frames came without": "Nothing; they are placed by their arrival.",
    "frame times {trouble}: the instants": "Mend the camera's clock if `pts_ms` matters.",
    "the times that {source} gives": "Mend the camera's clock if `pts_ms` matters.",
    "the codec changes": "Nothing; frames before and after are decoded differently.",
    "the picture turns": "Nothing; it is shown in the shape of the first.",
    "{source} lost {packets}": "Give `--rtsp-transport tcp`.",
}
"""What to do, by the beginning of the sentence. The longest beginning that fits counts."""


def page() -> str:
    """The text of the page."""
    sections = list(_sections())
    unused = MENDS.keys() - {_key(row) for _, rows in sections for row in rows}
    assert not unused, f"no doubt begins so: {sorted(unused)}"
    return HEADING + "\n".join(
        f"## {title}\n\n{table('doubt', 'stated when', 'what to do', rows=map(_cells, rows))}"
        for title, rows in sections
    )


def _sections() -> Iterator[tuple[str, list[claims.Row]]]:
    """The rows of the table of claims, by the heading about doubts under which they are."""
    text = claims.PAGE.read_text(encoding="utf-8")
    lines = text.splitlines()
    headings = {
        number: found[1] for number, line in enumerate(lines, 1) if (found := re.match(r"\| \*\*(.+?)\*\*", line))
    }
    for heading, title in SECTIONS.items():
        (first,) = (number for number, name in headings.items() if name == heading)
        last = min((number for number in headings if number > first), default=len(lines) + 1)
        yield title, [row for row in claims.table(text) if first < row.line < last]


def _key(row: claims.Row) -> str:
    fitting = [start for start in MENDS if row.sentences[0].startswith(start)]
    assert fitting, f"what to do about {row.sentences[0]!r} is not in tests/docs/pages/doubts.py"
    return max(fitting, key=len)


def _cells(row: claims.Row) -> tuple[str, str, str]:
    """The whole sentence with its parts behind it, its rule, and what to do."""
    sentence, *parts = (f"`{one}`" for one in row.sentences)
    whole = sentence + (f"; with {', '.join(parts)}" if parts else "")
    limits = ", ".join(f"`{name}` = {value}" for name, value in row.thresholds.items())
    return whole, f"{row.rule} ({limits})" if limits else row.rule, MENDS[_key(row)]
