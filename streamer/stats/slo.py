"""Service level objectives: comparisons over the summary's names, as in ``latency.p99<33ms,drops<1%``."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypedDict

from streamer.errors import UsageError
from streamer.stats.percentiles import PERCENTILES, frames_needed, spoken
from streamer.stats.summary import FIGURES, Statistics

COUNTS = {
    "drops": "dropped",
    **{name: name for name in ("delivered", "late", "missed", "abandoned", "decode_error", "source_error")},
    **{name: name for name in ("engine_error", "sink_error")},
}
"""The names of counts in objectives, and in the manifest."""
COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1000.0}
STATISTICS = {**{spoken(name): name for name in PERCENTILES}, "mean": "mean", "max": "max"}
"""Statistics as people write them, and their names in the manifest."""

_PART = re.compile(r"\s*([a-z_]+)\s*(?:\.\s*([a-z]+[0-9.]*))?\s*(<=|>=|<|>)\s*([0-9]+(?:\.[0-9]+)?)\s*([a-zµ%]*)\s*")


@dataclass(frozen=True, slots=True)
class Objective:
    """One comparison. ``statistic`` is None for a count; ``share`` says that a count's limit is in percent."""

    text: str
    name: str
    statistic: str | None
    comparison: str
    limit: float
    share: bool


class CheckPart(TypedDict):
    """One of the manifest's ``slo_checks``: an objective, and what was found."""

    objective: str
    """The objective as it was given, as in ``latency.p99<33ms``."""
    value: float | None
    """The figure that was found: milliseconds for a statistic, percent for a count whose limit is in %, else a count.
    Null when it is withheld."""
    met: bool
    """Whether the figure meets the objective. A figure that is withheld misses it."""
    why: str
    """The figure in words, with its unit; or how many frames it needs and has, when it is withheld."""


@dataclass(frozen=True, slots=True)
class Checked:
    """An objective and its value, which is None where a percentile is withheld; that misses the objective."""

    objective: Objective
    value: float | None
    met: bool
    why: str

    def as_dict(self) -> CheckPart:
        """The entry in the manifest."""
        return {"objective": self.objective.text, "value": self.value, "met": self.met, "why": self.why}


def parse_slo(text: str) -> tuple[Objective, ...]:
    """The comparisons of ``--slo``. Raises UsageError that names the place at which the text is wrong."""
    objectives = []
    position = 0
    for part in text.split(","):
        objectives.append(_objective(part, text, position))
        position += len(part) + 1
    return tuple(objectives)


def _objective(part: str, text: str, position: int) -> Objective:
    match = _PART.match(part)
    if match is None or match.end() < len(part):
        # The text is wrong behind the longest beginning of a comparison.
        reach = 0 if match is None else match.end()
        for pattern in (
            r"\s*[a-z_]+",
            r"\s*[a-z_]+\s*(\.\s*[a-z]+[0-9.]*)?",
            r"\s*[a-z_]+(\.[a-z0-9.]+)?\s*[<>]=?\s*",
        ):
            found = re.match(pattern, part)
            reach = max(reach, found.end() if found else 0)
        raise _wrong(text, position + reach, "write comparisons as in latency.p99<33ms,drops<1%")
    name, statistic, comparison, number, unit = match.groups()
    limit = float(number)
    if name in COUNTS:
        if statistic is not None:
            raise _wrong(text, position + match.start(2), f"{name} is a count and has no {statistic}")
        if unit not in ("", "%"):
            raise _wrong(text, position + match.start(5), f"{name} is compared with a number or a share in %")
        return Objective(part.strip(), name, None, comparison, limit, unit == "%")
    if name not in FIGURES:
        names = ", ".join((*FIGURES, *COUNTS))
        raise _wrong(text, position + match.start(1), f"there is no {name!r}; there are {names}")
    if statistic not in STATISTICS:
        at = match.start(2) if statistic else match.end(1)
        raise _wrong(text, position + at, f"{name} has {', '.join(STATISTICS)}, as in {name}.p99")
    if unit not in MILLISECONDS:
        raise _wrong(text, position + match.start(5), f"give the unit of a time: {', '.join(MILLISECONDS)}")
    return Objective(part.strip(), name, STATISTICS[statistic], comparison, limit * MILLISECONDS[unit], False)


def _wrong(text: str, position: int, reason: str) -> UsageError:
    rest = text[position : position + 16]
    place = f"at character {position + 1}, {rest!r}" if rest else "at its end"
    return UsageError(f"--slo {text}: {place}: {reason}")


def check(
    objectives: tuple[Objective, ...], figures: Mapping[str, Statistics], frames: Mapping[str, int]
) -> list[Checked]:
    """Checks each objective against the figures, in milliseconds, and the counts of frames."""
    return [_check(one, figures, frames) for one in objectives]


def _check(one: Objective, figures: Mapping[str, Statistics], frames: Mapping[str, int]) -> Checked:
    if one.statistic is None:
        value: float | None = frames[COUNTS[one.name]]
        if one.share and value is not None:
            value = 100 * value / frames["scheduled"] if frames["scheduled"] else 0.0
        unit = "%" if one.share else ""
    else:
        figure = figures[one.name]
        value = getattr(figure, one.statistic) if one.statistic in ("mean", "max") else figure[one.statistic]
        unit = " ms"
        if value is None:
            needed = frames_needed(PERCENTILES[one.statistic]) if one.statistic in PERCENTILES else 1
            why = f"{one.name}.{spoken(one.statistic)} needs {needed:,} frames, has {figure.n:,}"
            return Checked(one, None, False, why)
    assert value is not None
    return Checked(one, value, COMPARISONS[one.comparison](value, one.limit), f"{value:.5g}{unit}")
