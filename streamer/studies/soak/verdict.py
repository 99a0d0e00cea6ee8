"""One verdict on a soak."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a soak ``passed`` in one respect, None when that cannot be told yet, and ``why``, with the figures.

    ``figures`` are those of the sentence, and more, for programs.
    """

    name: str
    passed: bool | None
    why: str
    figures: Mapping[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """As ``soak.json`` holds it."""
        return asdict(self)
