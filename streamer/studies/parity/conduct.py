"""A parity study from its settings to its result, for the command and the library."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from streamer.models.model import Model
from streamer.rundir.paths import default_path
from streamer.rundir.rundir import check_out
from streamer.studies.output import RowFile
from streamer.studies.parity.document import document_of
from streamer.studies.parity.left_out import sentences
from streamer.studies.parity.parity_csv import FILE, HEADER, as_dict
from streamer.studies.parity.result import ParityResult
from streamer.studies.parity.rows import EngineParity
from streamer.studies.parity.study import Parity, ParitySettings
from streamer.studies.successor import Kind, successor
from streamer.workers.stopping import Interrupted

FILES = Kind("parity", (FILE,))

Watched = Callable[[Parity, Sequence[str]], Iterable[EngineParity]]
"""Gives the rows of a study, and shows its progress meanwhile; its second argument are the notes before it runs."""


def conduct(
    source: str,
    model: Callable[[], Model],
    settings: ParitySettings,
    out: Path | None,
    watched: Watched,
    *,
    overwrite: bool,
) -> ParityResult:
    """Runs the study of the source, and writes its file into ``out``, or into a new directory.

    ``model`` finds the detector. Interrupted, from ``watched`` or a signal, ends the study in good order; it is
    raised when no engine is done. Raises UsageError, SourceError, ModelError, EngineError and SinkError.
    """
    out = out or default_path(datetime.now(UTC), source, "parity")
    check_out(out, overwrite=overwrite)
    rows: list[EngineParity] = []
    interrupted: str | None = None
    with successor(FILES, out, overwrite=overwrite) as place:
        try:
            study = Parity(source, model(), settings)
            with closing(RowFile(place.path / FILE, HEADER, overwrite=overwrite)) as file:
                for row in watched(study, [*place.notes, *study.frames.info.notes]):
                    file.append(as_dict(row).values())
                    rows.append(row)
        except Interrupted as error:
            if not rows:
                raise
            interrupted = error.reason
        else:
            place.take_over()
    document = document_of(study, rows, place.path, interrupted=interrupted is not None)
    notes, left_out = tuple(study.frames.info.notes), tuple(sentences(study))
    return ParityResult(place.path, document, interrupted, notes, left_out)
