"""What changes in a stream on the way: each change is named, but of one that flaps only the first few."""

from __future__ import annotations

NAMED = 10


class Changes:
    """Looks at each frame's value, which is shown in words; ``first`` is what it was before the first change."""

    def __init__(self, first: str = "") -> None:
        self._last = first
        self._named: list[str] = []
        self._others = 0

    def look(self, index: int, value: str) -> None:
        """Frame ``index`` has this value."""
        if value == self._last:
            return
        if self._last and len(self._named) < NAMED:
            self._named.append(f"at frame {index} to {value}")
        elif self._last:
            self._others += 1
        self._last = value

    @property
    def told(self) -> str:
        """Each change with its frame, and how many more there were; empty if there were none."""
        more = [f"{self._others} more {'time' if self._others == 1 else 'times'}"] if self._others else []
        return ", ".join([*self._named, *more])
