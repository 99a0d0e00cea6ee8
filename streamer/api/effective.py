"""The effective configuration of a detector, of the runtime, the model and the options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from streamer.detection.input_spec import Fit
from streamer.engines.base import Engine
from streamer.engines.variants import EngineSpec
from streamer.models.model import Model
from streamer.settings.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Effective:
    """The effective configuration of a detector, named as in the ``engine`` and ``model`` of a run's ``run.json``.

    ``spec`` is the SPEC as given, and ``variant`` the variant that it refines. ``device`` is the requested one;
    ``execution_devices`` are those that run the model, as with AUTO. ``config_in_force`` is read back from the
    runtime: precision, threads, streams, by OpenVINO's names. ``preprocess`` says where colours and numbers are
    converted: numpy, graph or off. ``requests`` is the number of pictures that may be under way at once.

    ``model`` is the model's name and ``sha256`` the hash of the file that was named; ``input_size`` is height and
    width of its input in pixels, and ``names`` has the name of each class. ``conf``, ``iou`` and ``fit`` are the
    options; ``fit`` is the model's own when none was given.
    """

    spec: str
    variant: str
    runtime: str
    device: str
    execution_devices: tuple[str, ...]
    config_in_force: Mapping[str, str]
    preprocess: str
    requests: int
    model: str
    sha256: str
    input_size: tuple[int, int]
    names: tuple[str, ...]
    conf: float
    iou: float
    fit: Fit


def effective(spec: EngineSpec, model: Model, engine: Engine, settings: Settings) -> Effective:
    """The effective configuration of an engine that is compiled."""
    return Effective(
        spec=spec.spec,
        variant=spec.variant,
        runtime=spec.runtime.value,
        device=spec.device,
        execution_devices=engine.execution_devices,
        config_in_force=MappingProxyType(dict(engine.config_in_force)),
        preprocess=spec.preprocess.value,
        requests=len(engine.requests),
        model=model.name,
        sha256=model.sha256,
        input_size=model.input_size,
        names=model.names,
        conf=settings.confidence,
        iou=settings.iou,
        fit=model.input_with(settings.fit).fit,
    )
