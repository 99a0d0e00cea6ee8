"""The settings of a replay: the given options, and what follows from them."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Unpack

from streamer.pipeline.checks import check_closed_loop, check_give_up, check_skip_gaps, check_source_timeout
from streamer.pipeline.drop_policy import Freshness, Policy
from streamer.schedule.schedule import Limits, Pace
from streamer.settings.keywords import ReplayOptions, no_such_option
from streamer.settings.library_words import in_library_words
from streamer.settings.option import Group, Option, rows_of
from streamer.settings.rows import GIVE_UP_S, Rows
from streamer.sources.access import Access
from streamer.stats.percentiles import PERCENTILES, frames_needed, parse_percentile
from streamer.stats.slo import Objective, parse_slo


@dataclass(frozen=True, slots=True, kw_only=True, init=False)
class Settings(Rows):
    """The settings of a replay, with the defaults of ``streamer replay``. `OPTIONS` says what each of them does.

    Options have the names of the command line and are given as one types them there:
    ``Settings(engine="ir", duration="10m")``. The attributes are their values, in the unit of the name:
    ``duration_s`` is 600.0.

    Raises UsageError for a name that is no option, for a value that one does not take, and for two that do not go
    together.
    """

    def __init__(self, **options: Unpack[ReplayOptions]) -> None:
        given: Mapping[str, Any] = options
        if given.keys() >= OPTIONS.keys():  # all fields by their names, as dataclasses.replace has them
            self._set(given)
            return
        with in_library_words():
            self._set({_name_of(keyword): value for keyword, value in given.items()})

    def changed(self, **options: Unpack[ReplayOptions]) -> Settings:
        """A copy of these settings with the given options changed. Raises UsageError."""
        given = {name: getattr(self, name) for name in OPTIONS}
        with in_library_words():
            return Settings(**given | {_name_of(keyword): value for keyword, value in options.items()})

    def _set(self, given: Mapping[str, Any]) -> None:
        """Sets each field to its given value or its default, and checks them together."""
        for unknown in given.keys() - OPTIONS.keys():
            raise no_such_option(unknown, OPTIONS)
        for name, row in OPTIONS.items():
            value = row.value_of(given[name]) if name in given else row.default
            row.refuse(value)
            object.__setattr__(self, name, value)
        check_closed_loop(self.fps, policy=self.policy, freshness=self._given(Group.FRESHNESS))
        check_give_up(self.give_up_s, reconnect=self.reconnect)
        check_source_timeout(self.source_timeout_s, self.give_up_us)
        check_skip_gaps(self.skip_gaps, fps=self.fps, arrivals=self.arrivals)

    def _given(self, group: Group) -> list[str]:
        """The flags of the group's options that differ from their defaults."""
        rows = {name: row for name, row in OPTIONS.items() if row.group is group}
        return [row.flag for name, row in rows.items() if getattr(self, name) != row.default]

    @property
    def pace(self) -> Pace:
        """The pace: frames per second as a fraction, ``source`` or ``max``."""
        return Fraction(self.fps) if isinstance(self.fps, int) else self.fps

    @property
    def freshness(self) -> Freshness:
        """Which frames are no longer worth an inference."""
        max_age_us = None if self.max_age_ms is None else round(self.max_age_ms * 1000)
        return Freshness(max_age_us, self.skip_partial)

    @property
    def limits(self) -> Limits:
        """When the run ends: after so many frames, microseconds of schedule, or frames delivered."""
        return Limits(
            self.frames,
            None if self.duration_s is None else round(self.duration_s * 1e6),
            None if self.until is None else frames_needed(PERCENTILES[parse_percentile(self.until)]),
        )

    @property
    def give_up_us(self) -> int | None:
        """Microseconds without a frame after which a live source is given up; None: as soon as it is lost."""
        return round((self.give_up_s or GIVE_UP_S) * 1_000_000) if self.reconnect else None

    @property
    def access(self) -> Access:
        """How network streams are reached."""
        return Access(timeout_s=self.source_timeout_s, rtsp_transport=self.rtsp_transport, tls_verify=self.tls_verify)

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """The service level objectives."""
        return () if self.slo is None else parse_slo(self.slo)

    @property
    def effective_policy(self) -> Policy:
        """The policy, with its default worked out."""
        return self.policy or (Policy.WAIT if self.fps == "max" else Policy.DROP_OLDEST)


OPTIONS: Mapping[str, Option] = rows_of(Settings)
"""The row of each setting."""
_NAMES = {row.keyword: name for name, row in OPTIONS.items()}
"""The field of each option, by the option's name in the library."""


def _name_of(keyword: str) -> str:
    """The field of the option with this name. Raises UsageError when there is none."""
    if keyword in _NAMES:
        return _NAMES[keyword]
    if keyword in OPTIONS:
        now = OPTIONS[keyword].keyword
        warnings.warn(
            f"the option {keyword} is called {now} now: the old name is removed in streamer 0.2",
            DeprecationWarning,
            stacklevel=4,
        )
        return keyword
    raise no_such_option(keyword, _NAMES)
