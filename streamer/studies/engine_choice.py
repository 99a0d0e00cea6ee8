"""The engines requested for a study, and which of them can run."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from streamer.engines.registry import open_engine, unavailable
from streamer.engines.spec_parser import parse_spec
from streamer.engines.variants import TUTORIAL, VARIANTS, EngineSpec, Runtime
from streamer.errors import EngineError, EngineUnavailable, UsageError
from streamer.models.model import Model
from streamer.settings.option import Option

GROUPS = ("tutorial", "all")
ENGINE = Option(usage="--engine SPEC", help="An engine to look at, as in ir,threads=1; may be repeated.", default=())


def read_engines(given: str | Sequence[str] | None) -> tuple[EngineSpec, ...]:
    """The engines of one SPEC or several, empty for None. Raises UsageError."""
    if given is None:
        return ()
    if not isinstance(given, str) and isinstance(given, Sequence) and not given:
        raise UsageError(f"--engine {type(given).__name__}: name one at least, or leave it out")
    return tuple(parse_spec(spec) for spec in ENGINE.value_of(given))


def requested_engines(specs: Sequence[EngineSpec], group: str | None, default: str = "all") -> tuple[EngineSpec, ...]:
    """The engines named one by one, each as often as it is named, or those of a group.

    The groups are ``tutorial``, the seven of the tutorial, and ``all``, every variant but ``null``. ``default`` is
    the group or SPEC when neither is given. Raises UsageError when both are given, or an unknown group.
    """
    if specs and group is not None:
        raise UsageError(f"--engine and --engines {group}: give one of the two")
    if group is not None and group not in GROUPS:
        raise UsageError(f"--engines {group}: give {' or '.join(GROUPS)}")
    if specs:
        return tuple(specs)
    group = default if group is None else group
    if group not in GROUPS:
        return (parse_spec(group),)
    if group == "tutorial":
        return tuple(parse_spec(name) for name in TUTORIAL)
    return tuple(parse_spec(name) for name, row in VARIANTS.items() if row.runtime is not Runtime.NULL)


def why_not(specs: Sequence[EngineSpec], model: Model) -> dict[EngineSpec, str]:
    """The engines that cannot run here, and why. Raises EngineUnavailable when none can."""
    found = {spec: why for spec in specs if (why := unavailable(spec, model))}
    if len(found) == len(set(specs)):
        raise EngineUnavailable(f"none of the engines can run here: {next(iter(found.values()))}")
    return found


def check_refinements(specs: Sequence[EngineSpec], model: Model) -> None:
    """Raises UsageError for an engine whose refinements are wrong. To be called before the first engine runs."""
    for spec in dict.fromkeys(specs):
        with suppress(EngineError):
            open_engine(spec, model).close()
