"""One verdict on a soak."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast

from streamer.studies.soak.document import VerdictPart

PASSED_TEXT = {True: "passed", False: "FAILED", None: "too early"}
"""The values of ``passed`` in words."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a soak ``passed`` in one respect, and ``why``; None is open: it needs more windows.

    ``figures`` are those of the sentence, and more, for programs.
    """

    name: str
    passed: bool | None
    why: str
    figures: Mapping[str, Any]

    def as_dict(self) -> VerdictPart:
        """As ``soak.json`` holds it."""
        return cast(VerdictPart, asdict(self))
