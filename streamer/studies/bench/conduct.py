"""A benchmark from its settings to its files, for the command and the library."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from streamer.files.whole import write_whole
from streamer.models.model import Model
from streamer.rundir.paths import default_path
from streamer.studies.bench.chart import CHART_FILE, draw_bench
from streamer.studies.bench.document import NAME, document_of
from streamer.studies.bench.input import bundled_clip
from streamer.studies.bench.result import BenchResult
from streamer.studies.bench.rows import HEADER, Benched, as_dict
from streamer.studies.bench.study import Bench, BenchSettings
from streamer.studies.free_place import of_study
from streamer.studies.output import RowFile
from streamer.studies.successor import Kind, successor
from streamer.workers.stopping import Interrupted

FILES = Kind(NAME, (f"{NAME}.csv", CHART_FILE, f"{NAME}.json"), ours=of_study(NAME, HEADER))

Watched = Callable[[Bench, Sequence[str]], Iterable[Benched]]
"""Gives the rows of a study, and shows its progress meanwhile; its second argument are the notes before it runs."""


def conduct(
    image: str | None,
    model: Callable[[], Model],
    settings: BenchSettings,
    out: Path | None,
    watched: Watched,
    *,
    overwrite: bool,
) -> BenchResult:
    """Runs the benchmark of the image, and writes its files into ``out``, or into a new directory.

    ``model`` finds the detector. Interrupted, from ``watched`` or a signal, ends the benchmark in good order; it is
    raised when no engine is done. Raises UsageError, SourceError, ModelError, EngineError and SinkError.
    """
    out = out or default_path(datetime.now(UTC), image or bundled_clip(), NAME)
    rows: list[Benched] = []
    interrupted: str | None = None
    with successor(FILES, out, overwrite=overwrite) as place:
        try:
            study = Bench(image, model(), settings)
            with closing(RowFile(place.path / f"{NAME}.csv", HEADER, overwrite=overwrite)) as file:
                for row in watched(study, place.notes):
                    file.append(as_dict(row).values())
                    rows.append(row)
        except Interrupted as error:
            if not rows:
                raise
            interrupted = error.reason
        document = document_of(study, rows, interrupted=interrupted is not None)
        write_whole(place.path / f"{NAME}.json", json.dumps(document, indent=2, ensure_ascii=False) + "\n")
        draw_bench(place.path, document)
        if interrupted is None:
            place.take_over()
    return BenchResult(place.path, document, interrupted)
