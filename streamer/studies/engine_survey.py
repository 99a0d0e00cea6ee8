"""The variants that can run a model here, their configurations, and which of them are the same configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from streamer.engines.equivalence import Sameness
from streamer.engines.registry import unavailable
from streamer.engines.spec_parser import parse_spec
from streamer.engines.variants import VARIANTS, EngineSpec, Runtime
from streamer.errors import StreamerError
from streamer.models.model import Model
from streamer.studies.offline_detector import Opened

COMPILED = (Runtime.OPENVINO, Runtime.NULL)
"""Runtimes whose variants may be the same configuration, and are quick to compile."""


@dataclass(frozen=True, slots=True)
class Surveyed:
    """A variant: why it cannot run, or its effective configuration and an earlier variant with the same one."""

    spec: EngineSpec
    unavailable: str | None = None
    config_in_force: Mapping[str, str] | None = None
    same_as: str | None = None


def survey(model: Model, advance: Callable[[str], None]) -> list[Surveyed]:
    """Every variant in the order of the table; ``advance`` is called with the name of each before it is opened."""
    sameness = Sameness()
    found = []
    for name in VARIANTS:
        advance(name)
        spec = parse_spec(name)
        why = unavailable(spec, model)
        if why is not None or spec.runtime not in COMPILED:
            found.append(Surveyed(spec, why))
            continue
        try:
            with Opened(spec, model) as opened:
                effective = dict(opened.engine.config_in_force)
                found.append(Surveyed(spec, None, effective, sameness.of(spec, model, opened.engine)))
        except StreamerError as error:
            found.append(Surveyed(spec, str(error)))
    return found
