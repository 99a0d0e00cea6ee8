"""The steps before and after an inference, the same for runs, studies and users' programs."""

from __future__ import annotations

from typing import NamedTuple

from streamer.detection.input_spec import Fit
from streamer.detection.postprocess import Postprocess
from streamer.detection.preprocess import Preprocessor, preprocess_for
from streamer.engines.variants import EngineSpec
from streamer.models.model import Model


class Steps(NamedTuple):
    """The steps around one request's inferences."""

    preprocess: Preprocessor
    postprocess: Postprocess


def steps_for(spec: EngineSpec, model: Model, *, fit: Fit | None, confidence: float, iou: float) -> Steps:
    """The steps of one request. A ``fit`` replaces the model's own; the thresholds are as in `Postprocess`."""
    port = model.signature.picture_port
    return Steps(
        preprocess_for(spec.preprocess, port, model.input_size, model.input_with(fit)),
        Postprocess(model.decoder(), confidence, iou, model.names),
    )
