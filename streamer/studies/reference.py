"""The engine that others are scored against: the most exact way of running a model here."""

from __future__ import annotations

from streamer.engines.registry import unavailable
from streamer.engines.spec_parser import parse_spec
from streamer.engines.variants import EngineSpec
from streamer.models.model import Model

REFERENCES = ("onnx,precision=f32", "ir,precision=f32", "pytorch")
"""The most exact ways of running a model, best first."""


def most_exact(model: Model) -> EngineSpec:
    """The first of `REFERENCES` that can run; the last when none can."""
    specs = [parse_spec(text) for text in REFERENCES]
    return next((spec for spec in specs if unavailable(spec, model) is None), specs[-1])
