"""How each of several engines is drawn, in every panel alike: a colour each, then again in another manner."""

from __future__ import annotations

from dataclasses import dataclass

from streamer.charts.canvas import BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILLION

COLOURS = (BLUE, ORANGE, GREEN, VERMILLION, SKY, PURPLE, "#8C8C8C")
"""Okabe and Ito's without yellow, of which a line cannot be seen on white; gray for black, which hides whiskers."""
MANNERS: tuple[tuple[str, tuple[float, ...]], ...] = (("", ()), ("///", (5, 1.8)), ("...", (1.2, 1.2)))
"""Hatching of bars and dashes of lines: whole, hatched and dashed, dotted."""


@dataclass(frozen=True, slots=True)
class Style:
    """A colour, and the manner in which it fills bars and draws lines; ``dashes`` are lengths of line and gap."""

    colour: str
    hatch: str
    dashes: tuple[float, ...]

    @property
    def line(self) -> str | tuple[float, tuple[float, ...]]:
        """The style of lines, as matplotlib takes it."""
        return (0, self.dashes) if self.dashes else "solid"


def style_of(place: int) -> Style:
    """That of the engine at a place, from 0."""
    hatch, dashes = MANNERS[place // len(COLOURS) % len(MANNERS)]
    return Style(COLOURS[place % len(COLOURS)], hatch, dashes)
