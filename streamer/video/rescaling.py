"""Pictures that come in another size than the first of their stream."""

from __future__ import annotations


class SizeChanges:
    """Counts them: they are scaled to the size of the first, so that one detector and one video serve them all."""

    def __init__(self) -> None:
        self._first = ""
        self._scaled = 0

    def count(self, index: int, width: int, height: int) -> None:
        """The picture of frame ``index`` came in this size, and is scaled."""
        self._first = self._first or f"the picture size changes at frame {index} to {width}x{height}"
        self._scaled += 1

    @property
    def doubts(self) -> list[str]:
        """A sentence with the number, if there were any."""
        return [f"{self._first}: scaled to the size of the first ({self._scaled} in all)"] if self._first else []
