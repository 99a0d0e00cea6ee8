"""Reading bit streams of the video coding standards."""

from __future__ import annotations


class Bits:
    """The bits of ``data``, most significant first. Reading beyond the end raises ValueError."""

    def __init__(self, data: bytes) -> None:
        self._bits = f"{int.from_bytes(data):0{8 * len(data)}b}" if data else ""
        self._next = 0

    def number(self, width: int) -> int:
        """An unsigned number of ``width`` bits."""
        begin, self._next = self._next, self._next + width
        if self._next > len(self._bits):
            raise ValueError("the bit stream ends here")
        return int(self._bits[begin : self._next] or "0", 2)

    def flag(self) -> bool:
        """The next bit."""
        return self.number(1) == 1

    def exp_golomb(self) -> int:
        """An unsigned Exp-Golomb number: ue(v) of ITU-T H.264, 9.1."""
        zeros = self._bits.index("1", self._next) - self._next
        self._next += zeros
        return self.number(zeros + 1) - 1

    def signed_exp_golomb(self) -> int:
        """A signed one: se(v) of ITU-T H.264, 9.1.1."""
        code = self.exp_golomb()
        return (code + 1) // 2 if code % 2 else -(code // 2)
