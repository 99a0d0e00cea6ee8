"""Converts between logits and confidence."""

from __future__ import annotations

import numpy as np

from streamer.detection.head import Floats

SUREST = 0.9999
"""The largest confidence of an example: the logit of 1 is infinite."""


def sigmoid(logits: Floats) -> Floats:
    """The sigmoid of each logit, from 0 to 1, in the same shape."""
    # The exponential of a large number would overflow; that of a negative one never does.
    small = np.exp(-np.abs(logits))
    shares: Floats = np.where(logits >= 0, np.float32(1), small) / (1 + small)
    return shares


def softmax(logits: Floats) -> Floats:
    """The softmax over the last axis: from 0 to 1, with a sum of 1."""
    weights: Floats = np.exp(logits - logits.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    return weights


def logit(confidence: float) -> float:
    """The logit whose sigmoid is ``confidence``: minus infinity for 0 and less, infinity for 1 and more."""
    if confidence <= 0:
        return -np.inf
    return np.inf if confidence >= 1 else float(np.log(confidence / (1 - confidence)))


def logit_of_example(confidence: float) -> float:
    """The logit of a confidence, limited to a number that a model can put out."""
    return logit(min(confidence, SUREST))
