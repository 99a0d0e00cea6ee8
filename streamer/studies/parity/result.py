"""The result of a parity study."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from streamer.charts.shown import Shown
from streamer.studies.parity.document import ParityDocument
from streamer.studies.parity.rows import MISSED


@dataclass(frozen=True, slots=True, repr=False)
class ParityResult(Shown):
    """A finished parity study: the directory of ``parity.csv``, and its document.

    ``interrupted`` is what stopped it, as in SIGINT; None when it came to its end. ``notes`` are about the source.
    ``left_out`` are the parts of the source and the truth that do not count: pairs of a heading and a sentence.
    """

    directory: Path
    document: ParityDocument
    interrupted: str | None
    notes: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]

    @property
    def agreement(self) -> dict[str, float | None]:
        """Each engine's agreement with the reference, from 0 to 1; None where nothing could be compared."""
        reference = self.document["reference"]
        rows = self.document["engines"]
        return {row["engine"]: row["agreement"] for row in rows if row["engine"] != reference}

    @property
    def missed(self) -> bool:
        """Whether an engine disagrees, or nothing could be compared: an unchecked engine has not passed."""
        return any(row["verdict"] in MISSED for row in self.document["engines"])

    def _rows(self) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
        with_truth = self.document["truth"] is not None
        return ("engine", "in", "agreement", *(("mAP50", "mAP50-95") if with_truth else ()), "verdict"), [
            (
                row["engine"],
                row["precision"] or "",
                _shown(row["agreement"]),
                *((_shown(row["map50"]), _shown(row["map50_95"])) if with_truth else ()),
                row["verdict"] + (f", same as {row['same_as']}" if row["same_as"] else ""),
            )
            for row in self.document["engines"]
        ]


def _shown(share: float | None) -> str:
    return "" if share is None else f"{share:.3f}"
