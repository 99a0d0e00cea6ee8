"""``streamer.verify``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NotRequired, TypedDict, cast

from streamer.api.calling import called
from streamer.api.given_source import path_text
from streamer.charts.shown import Shown
from streamer.errors import UsageError
from streamer.repair.repair import repair as completed
from streamer.run.measured_parts import RepairedPart
from streamer.rundir.rundir import under_way
from streamer.settings.keywords import PathText
from streamer.verification import verify as verified
from streamer.verification.access import check_access

Verdict = Literal["VALID", "INVALID", "INTERRUPTED"]


class VideoRemainsPart(TypedDict):
    """A video of a killed run: up to when it plays, and up to when frames were delivered; null for never."""

    name: str
    plays_until_ms: float | None
    delivered_until_ms: float | None


class RemainsPart(TypedDict):
    """The remains of a killed run.

    ``until_ms`` is the last stamp, null without a row. ``unknown`` counts frames in flight without a row, ``strays``
    rows of detections whose frame has no row. When segments were deleted, ``let_go``, it cannot be repaired.
    """

    rows: int
    torn_lines: int
    until_ms: float | None
    unknown: int
    detections: int
    strays: int
    videos: list[VideoRemainsPart]
    let_go: bool


class VerificationDocument(TypedDict):
    """The document of a verification.

    ``checked`` counts what was checked, by kind; it is empty for a run without ``run.json``. A document that is not
    ``hashed`` is of an older streamer, and only its rows were checked. ``remains`` is there when the run was killed.
    ``repaired`` is there when a repair was requested, null when there was nothing to repair.
    """

    verdict: Verdict
    checked: dict[str, int]
    hashed: bool
    reasons: list[str]
    remains: NotRequired[RemainsPart]
    repaired: NotRequired[RepairedPart | None]


@dataclass(frozen=True, slots=True, repr=False)
class Verification(Shown):
    """The result of verifying the run in ``directory``.

    ``run_verdict`` is the verdict in ``run.json``, None without one: the record of a run that was interrupted or has
    failed can be VALID. ``let_go`` counts rows in segments that ``--keep`` has deleted, which cannot be checked.
    """

    directory: Path
    document: VerificationDocument
    run_verdict: str | None
    let_go: int

    @property
    def verdict(self) -> Verdict:
        """VALID, INVALID, or INTERRUPTED for a killed run in whose remains nothing is wrong."""
        return self.document["verdict"]

    @property
    def valid(self) -> bool:
        """The run was not killed, and nothing was found wrong."""
        return self.verdict == "VALID"

    @property
    def reasons(self) -> list[str]:
        """The reasons for INVALID, a line each."""
        return self.document["reasons"]

    @property
    def repaired(self) -> RepairedPart | None:
        """The counts of rows that were added and removed; None when nothing was, or no repair was requested."""
        return self.document.get("repaired")

    @property
    def interrupted(self) -> None:
        """None: a verification always comes to its end."""

    @property
    def answer(self) -> str:
        """The plain answer, with the kind of run."""
        if "remains" in self.document:
            return "The run was killed and has no run.json."
        if self.reasons:
            return "What the run wrote does not fit together."
        of = {"INTERRUPTED": " of an interrupted run", "FAILED": " of a failed run"}.get(self.run_verdict or "", "")
        return f"VALID: the record{of} is whole, and its figures follow from its rows."

    def _rows(self) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
        if self.reasons:
            return ("reason",), [(reason,) for reason in self.reasons]
        counted = self.document.get("remains") or self.document["checked"]
        names = ("rows", "figures", "detections", "video_frames", "files")
        return ("checked", ""), [
            (name.replace("_", " "), f"{count:,}") for name, count in counted.items() if name in names and count
        ]


def verify(run_dir: PathText, *, repair: bool = False) -> Verification:
    """Works out every figure of a finished run again from its files, as ``streamer verify`` does.

    With ``repair`` the record of a killed run is completed first. Nothing is printed.

    Raises UsageError when there is no run, or it is still going on; SinkError when it cannot be repaired; and
    StreamerError when a file cannot be read, which says nothing about the run.
    """
    path = Path(path_text("run_dir", run_dir))
    return called(lambda stop, _: look_at(path, stop.check, repair=repair))


def look_at(run_dir: Path, meanwhile: Callable[[], object] = lambda: None, *, repair: bool) -> Verification:
    """The verification of a run, for the command and the function.

    ``meanwhile`` is called between the checks; what it raises ends them. Raises what `verify` does.
    """
    check_access(run_dir)
    if under_way(run_dir):
        raise UsageError(f"{run_dir}: the run is still going on; wait for its end, or end it with Ctrl-C")
    manifest = completed(run_dir) if repair else None
    found = verified(run_dir, meanwhile)
    verdict: Verdict = "INVALID" if found.reasons else "VALID" if found.remains is None else "INTERRUPTED"
    document: VerificationDocument = {
        "verdict": verdict,
        "checked": found.checked,
        "hashed": found.hashed,
        "reasons": [*found.reasons, *([f"and {found.more:,} more"] if found.more else [])],
    }
    if found.remains is not None:
        document["remains"] = cast(RemainsPart, found.remains.as_dict())
    if repair:
        document["repaired"] = None if manifest is None else manifest["repaired"]
    return Verification(run_dir, document, found.run_verdict, found.let_go)
