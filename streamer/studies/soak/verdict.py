"""One verdict on a soak."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast

from streamer.studies.soak.document import VerdictPart

SAID = {True: "passed", False: "FAILED", None: "too early"}
"""What people read of ``passed``."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a soak ``passed`` in one respect, None when that cannot be told yet, and ``why``, with the figures.

    ``figures`` are those of the sentence, and more, for programs.
    """

    name: str
    passed: bool | None
    why: str
    figures: Mapping[str, Any]

    def as_dict(self) -> VerdictPart:
        """As ``soak.json`` holds it."""
        return cast(VerdictPart, asdict(self))
