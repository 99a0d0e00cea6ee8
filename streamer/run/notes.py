"""What is to be known before the figures of a run are read."""

from __future__ import annotations

from streamer.detection.preprocess import Preprocessing
from streamer.engines.config import AS_PICKLE, LOADED, WARNED
from streamer.machine import installation
from streamer.run.resources import Opened
from streamer.street.marker import SCENE


def notes(opened: Opened) -> list[str]:
    """A sentence each."""
    found = []
    if opened.model.bundled and any(SCENE not in camera.source.info.comment for camera in opened.cameras):
        found.append(
            "the bundled model knows only the synthetic street: on this video its latency is representative, "
            "its detections are not; give a model of your own with --model FILE.onnx"
        )
    for camera in opened.cameras:
        found += [note for note in camera.source.info.notes if note not in found]
    if opened.spec.preprocess is Preprocessing.OFF:
        found.append("preprocess=off: the model sees a gray picture, and what it detects means nothing")
    if opened.engine.config_in_force.get(LOADED) == AS_PICKLE:
        found.append(f"{opened.model.files['pt'].name} was loaded as a pickle, which may run code of its maker")
    if warned := opened.engine.config_in_force.get(WARNED):
        found.append(f"{opened.spec.runtime.value} warned when it compiled: {warned}")
    return [*found, *installation.notes()]
