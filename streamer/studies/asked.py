"""Which engines a study is asked to look at."""

from __future__ import annotations

from collections.abc import Sequence

from streamer.engines.recipe import parse_spec
from streamer.engines.spec import TUTORIAL, VARIANTS, EngineSpec, Runtime
from streamer.errors import UsageError

GROUPS = ("tutorial", "all")


def asked_engines(specs: Sequence[EngineSpec], group: str | None) -> tuple[EngineSpec, ...]:
    """The engines named one by one, or those of a group; one that is named twice comes twice.

    The groups are ``tutorial``, its seven, and ``all``, every variant but ``null``, which is meant without any name.

    Raises UsageError when engines and a group are given.
    """
    if specs and group is not None:
        raise UsageError(f"--engine and --engines {group}: give one of the two")
    if specs:
        return tuple(specs)
    if group == "tutorial":
        return tuple(parse_spec(name) for name in TUTORIAL)
    return tuple(parse_spec(name) for name, row in VARIANTS.items() if row.runtime is not Runtime.NULL)
