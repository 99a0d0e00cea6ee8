"""Verification of a finished run: every figure of ``run.json``, worked out again from what the run wrote.

By code of its own: nothing here is shared with what wrote the figures, so that a mistake there is not made twice.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from streamer.errors import UsageError
from streamer.verify import detections_csv, frames_csv, killed, manifest
from streamer.verify.conservation import check_conservation, check_decode_errors, check_streams
from streamer.verify.detections_csv import check_objects
from streamer.verify.figures import check_figures, check_omission_gap
from streamer.verify.files import check_files
from streamer.verify.frames_csv import read_rows
from streamer.verify.killed import Remains
from streamer.verify.manifest import Document, RunFacts
from streamer.verify.reasons import Reasons, Unreadable
from streamer.verify.schedule import check_schedule
from streamer.verify.segments import read_pieces, uncut
from streamer.verify.stamps import check_derived, check_stamps
from streamer.verify.video import check_videos

T = TypeVar("T")
SOAK = "asked.json"
"""What tells the directory of a soak from that of a run."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What came out. ``run_verdict`` is the one in ``run.json``, None when there is none.

    ``checked`` counts rows, figures, detections, video frames and hashed files; ``reasons`` are one line each,
    and ``more`` is how many were found beyond those. ``remains`` is what a run has left that was killed, ``let_go``
    how many rows are in pieces that a soak has let go.
    """

    run_verdict: str | None
    checked: dict[str, int]
    reasons: list[str]
    more: int
    remains: Remains | None = None
    let_go: int = 0

    @property
    def valid(self) -> bool:
        """The run was not killed, and nothing was found wrong."""
        return not self.reasons and self.remains is None


def verify(path: Path) -> Verification:
    """Verifies the run directory ``path``. Raises UsageError when that is no directory.

    Every check is made, whatever the others found, as far as what it needs can be read.
    """
    if not os.path.exists(path):
        raise UsageError(f"no such directory: {path}")
    if not path.is_dir():
        raise UsageError(f"{path} is no directory: give that of a run, as in runs/demo")
    if (path / SOAK).is_file() and not (path / manifest.NAME).exists():
        raise UsageError(f"{path} is a soak: verify its parts, as in {path / 'part-0'}")
    reasons = Reasons()
    if (path / killed.NAME).is_file() and not (path / manifest.NAME).exists():
        remains = _attempt(reasons, lambda: killed.look_at(path, reasons))
        return Verification(None, {}, reasons.kept, reasons.more, remains)
    document = _attempt(reasons, lambda: Document(path / manifest.NAME))
    if document is None:
        return Verification(None, {}, reasons.kept, reasons.more)
    checked = {"rows": 0, "figures": 0, "detections": 0, "video_frames": 0, "files": 0}
    facts = _attempt(reasons, lambda: RunFacts(document))
    ledger = _attempt(reasons, lambda: read_rows(path / frames_csv.NAME))
    streams = len(facts.streams) if facts is not None else 1
    cut = _attempt(reasons, lambda: read_pieces(document, streams)) or uncut(streams)
    if ledger is not None:
        checked["rows"] = len(ledger)
        _attempt(reasons, lambda: check_conservation(ledger, document, cut.gone, reasons))
        _attempt(reasons, lambda: check_stamps(ledger, reasons))
        if not cut.gone:
            _attempt(reasons, lambda: check_decode_errors(ledger, document, reasons))
    if ledger is not None and facts is not None:
        _attempt(reasons, lambda: check_streams(ledger, facts, reasons, counted=not cut.gone))
        _attempt(reasons, lambda: check_derived(ledger, facts, reasons))
        _attempt(reasons, lambda: check_schedule(ledger, facts, reasons))
        if not cut.gone:
            checked["figures"] = _attempt(reasons, lambda: check_figures(ledger, facts, document, reasons)) or 0
        _attempt(reasons, lambda: check_omission_gap(document, reasons))
    if ledger is not None:
        table = path / detections_csv.NAME
        checked["detections"] = (
            _attempt(reasons, lambda: check_objects(ledger, table, document, reasons, incomplete=cut.incomplete)) or 0
        )
    if ledger is not None and facts is not None:
        checked["video_frames"] = (
            _attempt(reasons, lambda: check_videos(ledger, facts, path, document, cut, reasons)) or 0
        )
    checked["files"] = _attempt(reasons, lambda: check_files(path, document, reasons)) or 0
    return Verification(
        _attempt(reasons, lambda: document.text("verdict")), checked, reasons.kept, reasons.more, let_go=cut.gone
    )


def _attempt(reasons: Reasons, step: Callable[[], T]) -> T | None:
    """What the step returns; when it cannot read what it needs, that is a reason, and None is returned."""
    try:
        return step()
    except Unreadable as error:
        reasons.add(str(error))
    except OSError as error:
        reasons.add(f"{Path(str(error.filename)).name}: cannot be read: {error.strerror}")
    return None
