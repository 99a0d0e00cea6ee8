"""The colours of all charts, and the style of each of several engines: a colour each, then again in another manner.

The colours are those of Okabe and Ito ("Color Universal Design", 2008), which colour-blind readers can distinguish.
"""

from __future__ import annotations

from dataclasses import dataclass

from streamer.ledger.record import Outcome

BLUE, ORANGE, GREEN, SKY = "#0072B2", "#E69F00", "#009E73", "#56B4E9"
VERMILLION, PURPLE, BLACK = "#D55E00", "#CC79A7", "#000000"
GRAY = "#595959"
LATENCY, RESULT, AGE, SERVICE = "latency", "result latency", "age", "service time"
FIGURES = {LATENCY: BLUE, RESULT: ORANGE, AGE: GREEN, SERVICE: PURPLE}
"""The colours of the figures of a run."""
LOST = {
    Outcome.DROPPED: VERMILLION,
    Outcome.DECODE_ERROR: PURPLE,
    Outcome.SOURCE_ERROR: SKY,
    Outcome.ENGINE_ERROR: BLACK,
    Outcome.SINK_ERROR: GRAY,
    Outcome.ABANDONED: ORANGE,
}
"""The colours of frames that were not delivered."""
ENGINES = (BLUE, ORANGE, GREEN, VERMILLION, SKY, PURPLE, "#8C8C8C")
"""Okabe and Ito's without yellow, whose lines cannot be seen on white; gray for black, which hides whiskers."""
MANNERS: tuple[tuple[str, tuple[float, ...]], ...] = (("", ()), ("///", (5, 1.8)), ("...", (1.2, 1.2)))
"""The hatching of bars and the dashes of lines: solid, hatched and dashed, dotted."""


@dataclass(frozen=True, slots=True)
class Style:
    """A colour, and the manner in which it fills bars and draws lines; ``dashes`` are lengths of line and gap."""

    colour: str
    hatch: str
    dashes: tuple[float, ...]

    @property
    def line(self) -> str | tuple[float, tuple[float, ...]]:
        """The line style for matplotlib."""
        return (0, self.dashes) if self.dashes else "solid"


def style_of(place: int) -> Style:
    """The style of the engine at a place, from 0."""
    hatch, dashes = MANNERS[place // len(ENGINES) % len(MANNERS)]
    return Style(ENGINES[place % len(ENGINES)], hatch, dashes)
