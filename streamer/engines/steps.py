"""What is done with a picture before and after its inference, made alike for a run, a study and a user's program."""

from __future__ import annotations

from typing import NamedTuple

from streamer.detection.input_spec import Fit
from streamer.detection.postprocess import Postprocess
from streamer.detection.preprocess import Preprocessor, preprocess_for
from streamer.engines.variants import EngineSpec
from streamer.models.model import Model


class Steps(NamedTuple):
    """The steps around the inferences of one request."""

    preprocess: Preprocessor
    postprocess: Postprocess


def steps_for(spec: EngineSpec, model: Model, *, fit: Fit | None, confidence: float, iou: float) -> Steps:
    """The steps of one request. ``fit`` is used in place of the model's own; the thresholds as in `Postprocess`."""
    port = model.signature.picture_port
    return Steps(
        preprocess_for(spec.preprocess, port, model.input_size, model.input_with(fit)),
        Postprocess(model.decoder(), confidence, iou, model.names),
    )
