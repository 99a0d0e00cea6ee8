"""``bench.json``: the answer, what ran on what, and a row per engine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypedDict

from streamer import __version__
from streamer.machine import installation
from streamer.machine.info import MachinePart
from streamer.run.setup_parts import ModelPart, SourcePart, model_part, source_part
from streamer.sources.fingerprint import fingerprint
from streamer.stats.percentiles import PERCENTILES, frames_needed
from streamer.studies.bench.rows import SHOWN, Benched, BenchRow, as_dict, plain_answer
from streamer.studies.bench.study import Bench
from streamer.vendors.versions import versions

SCHEMA_VERSION = 1
NAME = "bench"
"""The name of the table, the document and the chart, without their endings."""
TUTORIAL_SIZE = (480, 640)


class BenchRunPart(TypedDict):
    """The ``run``: ``number`` inferences in a row; ``input`` is float32 or tutorial; ``started`` is an ISO time."""

    number: int
    input: str
    interrupted: bool
    started: str


class BenchDocument(TypedDict):
    """``bench.json``; ``source``, ``model``, ``machine`` and ``versions`` are as in ``run.json``."""

    schema_version: int
    streamer: str
    answer: str
    notes: list[str]
    source: SourcePart
    model: ModelPart
    machine: MachinePart
    versions: dict[str, str]
    run: BenchRunPart
    engines: list[BenchRow]


def document_of(study: Bench, rows: Sequence[Benched], *, interrupted: bool) -> BenchDocument:
    """The document of a benchmark, its fields in the order of reading."""
    settings = study.settings
    return {
        "schema_version": SCHEMA_VERSION,
        "streamer": __version__,
        "answer": plain_answer(rows, len(study.engines)),
        "notes": [*_notes(study), *installation.notes()],
        "source": source_part(study.source, fingerprint(study.path)),
        "model": model_part(study.model),
        "machine": study.machine.as_dict(),
        "versions": versions(),
        "run": {
            "number": settings.number,
            "input": settings.feed.value,
            "interrupted": interrupted,
            "started": study.started.isoformat(timespec="milliseconds"),
        },
        "engines": [as_dict(row) for row in rows],
    }


def _notes(study: Bench) -> Iterator[str]:
    number, (height, width) = study.settings.number, study.model.input_size
    if (height, width) != TUTORIAL_SIZE:
        yield f"the image is resized to {width}x{height}, which the model takes, and not to the tutorial's 640x480"
    for name in SHOWN:
        if number < (needed := frames_needed(PERCENTILES[name])):
            yield f"{name} needs {needed:,} inferences in a row, --number is {number:,}"
    for spec in study.engines:
        if spec.prime:
            yield f"{spec.spec} is not primed here: a closed loop leaves no idle time for it"
        if spec.requests != 1:
            yield f"{spec.spec} has one request under way at a time here: replay --fps max has all of them"
