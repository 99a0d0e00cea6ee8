"""Changes in a stream while it is read: the first few are named, the others counted."""

from __future__ import annotations

NAMED = 10


class Changes:
    """Compares each frame's value, in words, with that of the frame before; ``first`` is the value to begin with."""

    def __init__(self, first: str = "") -> None:
        self._last = first
        self._named: list[str] = []
        self._others = 0

    def look(self, index: int, value: str) -> None:
        """Adds the value of frame ``index``."""
        if value == self._last:
            return
        if self._last and len(self._named) < NAMED:
            self._named.append(f"at frame {index} to {value}")
        elif self._last:
            self._others += 1
        self._last = value

    @property
    def text(self) -> str:
        """The first changes, each with its frame, and the number of the others; empty if there are none."""
        more = [f"{self._others} more {'time' if self._others == 1 else 'times'}"] if self._others else []
        return ", ".join([*self._named, *more])
