"""Between logits, which a model may leave as they are, and confidence."""

from __future__ import annotations

import numpy as np

from streamer.detection.head import Floats

SUREST = 0.9999
"""More confident than this no example is: the logit of 1 is infinite."""


def sigmoid(logits: Floats) -> Floats:
    """From 0 to 1, each for itself."""
    # The exponential of a large number would overflow; of what is below 0 it never does.
    small = np.exp(-np.abs(logits))
    shares: Floats = np.where(logits >= 0, np.float32(1), small) / (1 + small)
    return shares


def softmax(logits: Floats) -> Floats:
    """From 0 to 1, over the last axis together 1."""
    weights: Floats = np.exp(logits - logits.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    return weights


def logit(confidence: float) -> float:
    """The number of which this is the sigmoid: below all others for 0 and less, above them for 1 and more."""
    if confidence <= 0:
        return -np.inf
    return np.inf if confidence >= 1 else float(np.log(confidence / (1 - confidence)))


def logit_of_example(confidence: float) -> float:
    """The same, and a number that a model can put out."""
    return logit(min(confidence, SUREST))
