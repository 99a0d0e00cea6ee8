"""Variants that come out as one configuration: on a small machine several differ in name alone."""

from __future__ import annotations

from collections.abc import Hashable

from streamer.engines.base import Engine
from streamer.engines.spec import EngineSpec
from streamer.models.model import Model


class Sameness:
    """Remembers the configurations of the engines it is shown, and which one came first with each."""

    def __init__(self) -> None:
        self._first: dict[Hashable, str] = {}

    def of(self, spec: EngineSpec, model: Model, engine: Engine) -> str | None:
        """The SPEC of the first engine that runs as this compiled one does; None when it is the first."""
        first = self._first.setdefault(configuration(spec, model, engine), spec.spec)
        return None if first == spec.spec else first


def configuration(spec: EngineSpec, model: Model, engine: Engine) -> Hashable:
    """All that an engine's speed and answers can depend on, with the configuration as it is in force.

    Not the device asked for: AUTO on a machine with a CPU alone runs what CPU runs.
    """
    return (
        spec.runtime,
        spec.compiled,
        # The same file may stand for two kinds: an IR that is quantized already.
        model.hashes.get(spec.file, f"{spec.file} made for it"),
        spec.shared,
        spec.preprocess,
        spec.prime,
        spec.delay_ms,
        len(engine.requests),
        engine.execution_devices,
        tuple(sorted(engine.config_in_force.items())),
    )
