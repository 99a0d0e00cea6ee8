"""Finds variants that run as one configuration: on a small machine several differ in name alone."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

from streamer.engines.base import Engine
from streamer.engines.variants import EngineSpec
from streamer.models.model import Model


class Sameness:
    """Remembers the configurations of the engines it is shown, and the first engine with each."""

    def __init__(self) -> None:
        self._first: dict[Hashable, str] = {}

    def of(self, spec: EngineSpec, model: Model, engine: Engine) -> str | None:
        """The SPEC of the first engine that runs as this compiled one does; None when it is the first."""
        found = configuration(
            spec, file_of(spec, model), len(engine.requests), engine.execution_devices, engine.config_in_force
        )
        return self.first(found, spec.spec)

    def first(self, found: Hashable, name: str) -> str | None:
        """The name of the first engine with this `configuration`; None when that is ``name``."""
        first = self._first.setdefault(found, name)
        return None if first == name else first


def file_of(spec: EngineSpec, model: Model) -> str:
    """The hash of the file that an engine runs. One file may serve as two kinds, as a quantized IR does."""
    return model.hashes.get(spec.file, f"{spec.file} made for it")


def configuration(
    spec: EngineSpec, file: str, requests: int, devices: Sequence[str], effective: Mapping[str, str]
) -> Hashable:
    """Everything that an engine's speed and outputs can depend on, with the ``effective`` configuration.

    The requested device is not part of it: AUTO on a machine with only a CPU runs as CPU does.
    """
    return (
        spec.runtime,
        spec.compiled,
        file,
        spec.shared,
        spec.preprocess,
        spec.prime,
        spec.delay_ms,
        requests,
        tuple(devices),
        tuple(sorted(effective.items())),
    )
