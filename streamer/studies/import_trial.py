"""The trial of a model that is imported, on pictures: whether it looks damaged, and which preprocessing suits it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from streamer.accuracy.agreement import CONFIDENCE
from streamer.detection.detections import Detections
from streamer.detection.head import Floats
from streamer.detection.input_spec import Colour, Fit, InputSpec
from streamer.detection.postprocess import MAX_DETECTIONS
from streamer.detection.soundness import signs_of_damage
from streamer.errors import EngineError, StreamerError
from streamer.files.bundled import bundled
from streamer.frame import Frame
from streamer.models.describe import describe
from streamer.models.model import Model
from streamer.models.siblings import unquantized
from streamer.studies.frames import ChosenFrames
from streamer.studies.offline_detector import Opened, agreement_of
from streamer.studies.reference import most_exact

CLIP = "street.mp4"
FRAMES = 5
"""The most pictures of each video and folder."""
FEWEST = 4
"""The fewest detections by which two models can disagree."""
LEAST_AGREEMENT = 0.5
"""A quantized model with a lower agreement with its original has lost more than precision."""
NUMBERS: Sequence[InputSpec] = (
    InputSpec(),
    InputSpec(high=255.0),
    InputSpec(mean=(0.485, 0.456, 0.406), scale=(0.229, 0.224, 0.225)),
)
"""Values from 0 to 1, from 0 to 255, and 0 to 1 less ImageNet's mean over its deviation; in the order RGB."""
FITS = (Fit.LETTERBOX, Fit.STRETCH, Fit.LETTERBOX_TOP_LEFT)


@dataclass(frozen=True, slots=True)
class Suits:
    """The detections with one preprocessing: ``found`` objects that are sure, and the sum of their confidences.

    ``flooded``: in a picture as many objects are found as can be kept, so that they are no objects.
    """

    spec: InputSpec
    found: int
    surety: float
    flooded: bool = False

    @property
    def mean(self) -> float:
        """The mean confidence of the objects."""
        return self.surety / self.found if self.found else 0.0


@dataclass(frozen=True, slots=True)
class Trial:
    """The result on so many ``pictures``: ``found`` objects that are sure, and ``signs`` of damage in sentences.

    ``doubts`` come from a comparison with another model: a run of this model alone would not have them.
    """

    pictures: int
    found: int
    signs: Sequence[str]
    doubts: Sequence[str]


def pictures_of(sources: Sequence[str]) -> list[Frame]:
    """Up to `FRAMES` pictures of each of these images, folders and videos. Raises SourceError and UsageError."""
    return [frame for source in sources for frame in ChosenFrames(source, FRAMES)]


def drawn_street() -> list[Frame]:
    """The first picture of the bundled clip. It is drawn; most detectors find something in it."""
    return list(ChosenFrames(str(bundled("samples") / CLIP), 1, among=1))


def try_out(model: Model, pictures: Sequence[Frame]) -> Trial:
    """Runs the model on the pictures. Raises StreamerError when it cannot run."""
    signs: dict[str, None] = {}
    found = 0
    with Opened(most_exact(model), model) as opened:
        head = model.decoder()
        for picture in pictures:
            new = signs_of_damage(head, opened.outputs(picture))
            # The first signs are enough: those of other pictures differ in their numbers alone.
            signs |= dict.fromkeys(new if not signs else ())
            try:
                found += len(_sure([opened.detect(picture).confidence]))
            except EngineError as error:
                signs |= dict.fromkeys([str(error)] if not signs else ())
    return Trial(len(pictures), found, [*signs], _of_its_original(model, pictures))


def _of_its_original(model: Model, pictures: Sequence[Frame]) -> list[str]:
    """The doubt that a quantized model disagrees with its original, when that lies beside it; else nothing."""
    path = unquantized(model)
    if path is None:
        return []
    try:
        original, _ = describe(path, trust=False, size=model.input_size if model.dynamic else None)
        found = [_all_in(one, pictures) for one in (replace(original, input=model.input), model)]
    except StreamerError:
        return []  # an original that fails says nothing about the model that is imported
    agreement = agreement_of(*found)
    if agreement.smaller is None or agreement.compared < FEWEST or agreement.smaller >= LEAST_AGREEMENT:
        return []
    return [
        f"it disagrees with {path.parent.name}/{path.name}, which it was quantized from: in {len(pictures)} pictures "
        f"they find {agreement.other} and {agreement.reference} objects and share {agreement.smaller:.0%}; quantize "
        "it again, on pictures like those the camera sees"
    ]


def what_suits(model: Model, pictures: Sequence[Frame]) -> list[Suits]:
    """The detections in the pictures with the model's own preprocessing and the usual ones, best first.

    The best has the highest sum of confidences without flooding. Raises StreamerError when the model cannot run.
    """
    rows = []
    with Opened(most_exact(model), model) as opened:
        for spec in dict.fromkeys((model.input, *usual_inputs(model))):
            opened.prepare_as(spec)
            with suppress(EngineError):  # the outputs with some of them are no boxes
                found = [opened.detect(picture).confidence for picture in pictures]
                sure = _sure(found)
                flooded = max(map(len, found)) >= MAX_DETECTIONS
                rows.append(Suits(spec, len(sure), float(sure.sum()), flooded))
    # The sort is stable: among equals the model's own preprocessing stays first.
    return sorted(rows, key=lambda row: (row.flooded, -row.surety))


def usual_inputs(model: Model) -> Iterator[InputSpec]:
    """The preprocessings that detectors are trained with, as far as the type of the model's input can hold them."""
    takes_bytes = np.dtype(model.signature.picture_port.dtype).kind in "iu"
    numbers = [spec for spec in NUMBERS if not takes_bytes or spec.high > 1]
    for spec, colour, fit in product(numbers, Colour, FITS):
        mean, scale = (
            (spec.mean, spec.scale) if colour is Colour.RGB else (_reversed(spec.mean), _reversed(spec.scale))
        )
        yield replace(spec, colour=colour, fit=fit, mean=mean, scale=scale)


def _reversed(colours: tuple[float, float, float]) -> tuple[float, float, float]:
    first, second, third = colours
    return third, second, first


def _sure(found: Sequence[Floats]) -> Floats:
    """The confidences above `CONFIDENCE`, of all pictures."""
    confidence = np.concatenate(found)
    sure: Floats = confidence[confidence > CONFIDENCE]
    return sure


def _all_in(model: Model, pictures: Sequence[Frame]) -> dict[int, Detections]:
    """The model's detections in each picture, by its number."""
    with Opened(most_exact(model), model) as opened:
        return {number: opened.detect(picture) for number, picture in enumerate(pictures)}
