"""What a model that is imported makes of pictures: whether it looks damaged, and which preprocessing suits it."""

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
"""Of each video and folder, so many."""
FEWEST = 4
"""Fewer detections do not tell that two models disagree."""
LEAST_AGREEMENT = 0.5
"""A quantized model that shares less with its original has lost more than digits."""
NUMBERS: Sequence[InputSpec] = (
    InputSpec(),
    InputSpec(high=255.0),
    InputSpec(mean=(0.485, 0.456, 0.406), scale=(0.229, 0.224, 0.225)),
)
"""Shares, bytes, and shares less the mean of ImageNet's colours by their deviation; in the order of RGB."""
FITS = (Fit.LETTERBOX, Fit.STRETCH, Fit.LETTERBOX_TOP_LEFT)


@dataclass(frozen=True, slots=True)
class Suits:
    """What is found with one preprocessing: ``found`` objects that are sure, of ``surety`` together.

    ``flooded``: in a picture it finds as many objects as are kept, so that they are none.
    """

    spec: InputSpec
    found: int
    surety: float
    flooded: bool = False

    @property
    def mean(self) -> float:
        """How sure it is of each on average."""
        return self.surety / self.found if self.found else 0.0


@dataclass(frozen=True, slots=True)
class Trial:
    """What the ``pictures`` showed: ``found`` objects that are sure, and ``signs`` of damage in sentences.

    ``doubts`` are those that no run of the model alone would show.
    """

    pictures: int
    found: int
    signs: Sequence[str]
    doubts: Sequence[str]


def pictures_of(sources: Sequence[str]) -> list[Frame]:
    """A few pictures of each of these images, folders and videos. Raises SourceError and UsageError."""
    return [frame for source in sources for frame in ChosenFrames(source, FRAMES)]


def drawn_street() -> list[Frame]:
    """The first picture of the bundled clip, in which most detectors find something: it is drawn."""
    return list(ChosenFrames(str(bundled("samples") / CLIP), 1, among=1))


def try_out(model: Model, pictures: Sequence[Frame]) -> Trial:
    """Lets the model detect in the pictures. Raises StreamerError when it cannot run."""
    signs: dict[str, None] = {}
    found = 0
    with Opened(most_exact(model), model) as opened:
        head = model.decoder()
        for picture in pictures:
            new = signs_of_damage(head, opened.outputs(picture))
            # Of one kind of sign the first is enough: others differ in their numbers alone.
            signs |= dict.fromkeys(new if not signs else ())
            try:
                found += len(_sure([opened.detect(picture).confidence]))
            except EngineError as error:
                signs |= dict.fromkeys([str(error)] if not signs else ())
    return Trial(len(pictures), found, [*signs], _of_its_original(model, pictures))


def _of_its_original(model: Model, pictures: Sequence[Frame]) -> list[str]:
    """That a quantized model disagrees with the one that it was made from, where that lies beside it."""
    path = unquantized(model)
    if path is None:
        return []
    try:
        original, _ = describe(path, trust=False, size=model.input_size if model.dynamic else None)
        found = [_all_in(one, pictures) for one in (replace(original, input=model.input), model)]
    except StreamerError:
        return []  # it tells nothing of the model that is imported
    agreement = agreement_of(*found)
    if agreement.smaller is None or agreement.compared < FEWEST or agreement.smaller >= LEAST_AGREEMENT:
        return []
    return [
        f"it disagrees with {path.parent.name}/{path.name}, which it was quantized from: in {len(pictures)} pictures "
        f"they find {agreement.other} and {agreement.reference} objects and share {agreement.smaller:.0%}; quantize "
        "it again, on pictures like those the camera sees"
    ]


def what_suits(model: Model, pictures: Sequence[Frame]) -> list[Suits]:
    """What is found in the pictures with the model's own preprocessing and the usual ones, most first.

    Raises StreamerError when the model cannot run.
    """
    rows = []
    with Opened(most_exact(model), model) as opened:
        for spec in dict.fromkeys((model.input, *usual_inputs(model))):
            opened.prepare_as(spec)
            with suppress(EngineError):  # what comes out of some are no boxes
                found = [opened.detect(picture).confidence for picture in pictures]
                sure = _sure(found)
                flooded = max(map(len, found)) >= MAX_DETECTIONS
                rows.append(Suits(spec, len(sure), float(sure.sum()), flooded))
    # Its own goes first among equals.
    return sorted(rows, key=lambda row: (row.flooded, -row.surety))


def usual_inputs(model: Model) -> Iterator[InputSpec]:
    """The preprocessings that detectors are trained with, as far as the model's input has room for their numbers."""
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
    """The confidences above that from which on detections are compared, of all pictures."""
    confidence = np.concatenate(found)
    sure: Floats = confidence[confidence > CONFIDENCE]
    return sure


def _all_in(model: Model, pictures: Sequence[Frame]) -> dict[int, Detections]:
    """What the model finds in each picture, by its number."""
    with Opened(most_exact(model), model) as opened:
        return {number: opened.detect(picture) for number, picture in enumerate(pictures)}
