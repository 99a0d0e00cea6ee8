"""The result of a soak."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar, cast

from streamer.charts.shown import Shown
from streamer.errors import UsageError
from streamer.files.json_document import read_document
from streamer.run.manifest import Manifest
from streamer.run.reopened import stopped_by
from streamer.rundir.arrays import Rows, read_array
from streamer.rundir.paths import MANIFEST
from streamer.studies.run_figures import read_manifest
from streamer.studies.soak.chart import CHART_FILE
from streamer.studies.soak.document import NAME, SCHEMA_VERSION, SoakDocument, SoakVerdict
from streamer.studies.soak.study import parts_of
from streamer.studies.soak.verdict import PASSED_TEXT
from streamer.studies.soak.windows_csv import WINDOW_TYPES, WINDOWS


@dataclass(frozen=True, repr=False)
class SoakResult(Shown):
    """A soak: its directory, and its document, which is ``soak.json``.

    ``interrupted`` says what stopped its last part, as in SIGINT, and is None when it came to its end;
    ``soak(resume=directory)`` goes on.
    """

    CHART: ClassVar = CHART_FILE

    directory: Path
    document: SoakDocument
    interrupted: str | None

    @cached_property
    def windows(self) -> Rows:
        """A NumPy structured array with a row per window, read-only; its fields are the columns of ``windows.csv``.

        A number that may be missing is a float64, with NaN where it is. The file is read at the first use.

        Raises UsageError when it cannot be read.
        """
        rows = read_array([self.directory / WINDOWS], WINDOW_TYPES)
        rows.flags.writeable = False
        return rows

    @property
    def verdict(self) -> SoakVerdict:
        """Failed when one of the verdicts is, undecided when one is too early to be reached, else passed."""
        return self.document["verdict"]

    def _rows(self) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
        return ("", "verdict", "why"), [
            (one["name"], PASSED_TEXT[one["passed"]], one["why"]) for one in self.document["verdicts"]
        ]


def read_soak(directory: Path) -> SoakResult:
    """The soak whose ``soak.json`` is in the directory.

    Raises UsageError when that cannot be read, or does not have all of its parts.
    """
    document = cast(SoakDocument, read_document(directory / f"{NAME}.json", SCHEMA_VERSION))
    try:
        known = {part["directory"] for part in document["parts"]}
        last = document["parts"][-1]
    except (LookupError, TypeError) as error:
        raise UsageError(
            f"{directory / NAME}.json cannot be understood ({error!r}): give the directory of a soak"
        ) from error
    for part in parts_of(directory):
        if part.name not in known:
            raise UsageError(
                f"{directory}: {part.name} was killed, and the soak's verdicts are without it; "
                f"go on with streamer.soak(resume={str(directory)!r})"
            )
    ended = directory / last["directory"]
    interrupted = stopped_by(cast(Manifest, read_manifest(ended))) if (ended / MANIFEST).is_file() else "a kill"
    return SoakResult(directory, document, interrupted)
