"""Verification of a finished run: every figure of ``run.json``, computed again from the files that the run wrote.

It shares no code with what wrote the figures, so that a mistake there is not made twice.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from streamer.errors import UsageError
from streamer.verification import detections_csv, frames_csv, killed, manifest
from streamer.verification.access import FOUND_OTHERWISE, cannot_look, check_access
from streamer.verification.answer import check_answer
from streamer.verification.conservation import (
    check_conservation,
    check_damage,
    check_decode_errors,
    check_streams,
    check_sums,
)
from streamer.verification.detections_csv import check_objects
from streamer.verification.document_hash import check_document
from streamer.verification.figures import check_figures, check_omission_gap
from streamer.verification.files import check_files
from streamer.verification.frames_csv import Rows, read_rows
from streamer.verification.killed import Remains
from streamer.verification.manifest import Document, RunFacts
from streamer.verification.parameters import check_parameters
from streamer.verification.reasons import Reasons, Unreadable
from streamer.verification.schedule import check_schedule
from streamer.verification.segments import Segments, read_segments, uncut
from streamer.verification.slo import check_slo
from streamer.verification.stamps import check_derived, check_stamps
from streamer.verification.tail import check_tail
from streamer.verification.video import check_videos
from streamer.verification.windows import check_windows

T = TypeVar("T")
SOAK = "asked.json"
"""The file that distinguishes the directory of a soak from that of a run."""


@dataclass(frozen=True, slots=True)
class Verification:
    """The result of a verification. ``run_verdict`` is the one in ``run.json``, None without one.

    ``checked`` counts rows, figures, detections, video frames and hashed files. ``reasons`` are one line each, and
    ``more`` is the number found beyond those. ``remains`` describes what a killed run left. ``let_go`` is the number
    of rows in deleted segments. A document that is not ``hashed`` is from an older streamer: changes in the fields
    that do not follow from the rows are not noticed.
    """

    run_verdict: str | None
    checked: dict[str, int]
    reasons: list[str]
    more: int
    remains: Remains | None = None
    let_go: int = 0
    hashed: bool = True

    @property
    def valid(self) -> bool:
        """The run was not killed, and nothing was found wrong."""
        return not self.reasons and self.remains is None


def verify(path: Path, meanwhile: Callable[[], object] = lambda: None) -> Verification:
    """Verifies the run directory ``path``.

    Every check is made whose input can be read, whatever the others found. ``meanwhile`` is called before each; an
    error that it raises ends the verification. Raises UsageError when ``path`` is no directory, and StreamerError
    when nothing was found wrong but a file could not be looked at.
    """
    check_access(path)
    reasons = Reasons(meanwhile)
    found = _verified(path, reasons)
    if reasons.unseen is not None and not reasons.total:
        cannot_look(reasons.unseen.filename or path, reasons.unseen)
    return found


def _verified(path: Path, reasons: Reasons) -> Verification:
    if not os.path.exists(path):
        raise UsageError(f"no such directory: {path}")
    if not path.is_dir():
        raise UsageError(f"{path} is no directory: give that of a run, as in runs/demo")
    if (path / SOAK).is_file() and not (path / manifest.NAME).exists():
        raise UsageError(f"{path} is a soak: verify its parts, as in {path / 'part-0'}")
    if (path / killed.NAME).is_file() and not (path / manifest.NAME).exists():
        remains = _attempt(reasons, lambda: killed.look_at(path, reasons))
        return Verification(None, {}, reasons.kept, reasons.more, remains)
    document = _attempt(reasons, lambda: Document(path / manifest.NAME))
    if document is None:
        return Verification(None, {}, reasons.kept, reasons.more)
    facts = _attempt(reasons, lambda: RunFacts(document))
    checked = {"rows": 0, "figures": 0, "detections": 0, "video_frames": 0, "files": 0}
    streams = len(facts.streams) if facts is not None else 1
    cut = _attempt(reasons, lambda: read_segments(document, streams)) or uncut(streams)
    ledger = _attempt(reasons, lambda: read_rows(path / frames_csv.NAME))
    if ledger is not None:
        checked["rows"] = len(ledger)
        _check_rows(ledger, document, cut, reasons)
        table = path / detections_csv.NAME
        checked["detections"] = (
            _attempt(
                reasons,
                lambda: check_objects(ledger, facts, table, document, reasons, incomplete=cut.incomplete),
            )
            or 0
        )
    if ledger is not None and facts is not None:
        checked["figures"] = _check_run(ledger, facts, document, cut, reasons)
        checked["video_frames"] = (
            _attempt(reasons, lambda: check_videos(ledger, facts, path, document, cut, reasons)) or 0
        )
    if document.all_declared:
        _attempt(reasons, lambda: check_slo(document, reasons))
    checked["files"] = _attempt(reasons, lambda: check_files(path, document, facts, reasons)) or 0
    hashed = _attempt(reasons, lambda: check_document(document, reasons))
    verdict = _attempt(reasons, lambda: document.text("verdict"))
    return Verification(verdict, checked, reasons.kept, reasons.more, let_go=cut.gone, hashed=bool(hashed))


def _check_rows(ledger: Rows, document: Document, cut: Segments, reasons: Reasons) -> None:
    """Checks the rows by themselves, and the counts of them in ``run.json``."""
    _attempt(reasons, lambda: check_conservation(ledger, document, cut.gone, reasons))
    _attempt(reasons, lambda: check_stamps(ledger, reasons))
    _attempt(reasons, lambda: check_damage(ledger, document, cut.gone, reasons))
    if not cut.gone:
        _attempt(reasons, lambda: check_decode_errors(ledger, document, reasons))
        _attempt(reasons, lambda: check_sums(ledger, document, reasons))


def _check_run(ledger: Rows, facts: RunFacts, document: Document, cut: Segments, reasons: Reasons) -> int:
    """Checks the rows by the run's parameters, and the figures that follow from both; returns how many figures."""
    _attempt(reasons, lambda: check_streams(ledger, facts, reasons, counted=not cut.gone))
    _attempt(reasons, lambda: check_derived(ledger, facts, reasons))
    _attempt(reasons, lambda: check_schedule(ledger, facts, reasons))
    if document.all_declared:
        _attempt(reasons, lambda: check_parameters(ledger, facts, document, reasons))
    figures = 0
    if not cut.gone:
        figures = _attempt(reasons, lambda: check_figures(ledger, facts, document, reasons)) or 0
        if document.all_declared:
            _attempt(reasons, lambda: check_tail(ledger, document, reasons))
            _attempt(reasons, lambda: check_windows(ledger, document, reasons))
            _attempt(reasons, lambda: check_answer(ledger, facts, document, reasons))
    _attempt(reasons, lambda: check_omission_gap(document, reasons))
    return figures


def _attempt(reasons: Reasons, step: Callable[[], T]) -> T | None:
    """Returns what the step returns. Input that cannot be read is a reason; None is returned then."""
    reasons.meanwhile()
    try:
        return step()
    except Unreadable as error:
        reasons.add(str(error))
    except FOUND_OTHERWISE as error:
        reasons.add(f"{Path(str(error.filename)).name}: cannot be read: {error.strerror}")
    except OSError as error:
        reasons.unseen = reasons.unseen or error
    return None
