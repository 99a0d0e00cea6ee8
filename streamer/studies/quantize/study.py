"""Quantizing a model on a user's own video, and what that changes: size, speed, agreement.

Every fourth frame chosen is kept from the calibration, and both forms of the model are scored on those.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import copyfile
from statistics import median

from streamer.accuracy.agreement import Agreement, AgreementMeter
from streamer.engines.spec_parser import parse_spec
from streamer.errors import EngineUnavailable, UsageError
from streamer.files.cache import kept
from streamer.files.scratch import scratch_directory
from streamer.frame import Frame, Image
from streamer.ledger.decode_errors import DecodeErrorsPart
from streamer.models.derived import NAMES, keep
from streamer.models.files import model_sha256, parts
from streamer.models.model import Model
from streamer.models.openvino_ir import ensure_ir
from streamer.models.quantize import check_extra, quantize
from streamer.models.quantized_onnx import is_quantized
from streamer.settings.settings import OPTIONS
from streamer.studies.frames import ChosenFrames
from streamer.studies.offline_detector import Opened
from streamer.workers.clock import MonotonicClock

REFERENCE, BEFORE, AFTER = "ir,precision=f32", "ir-auto-shared", "ir-int8"
SCORED_OF = 4
"""One of so many frames is for the scoring."""
MOST_SCORED = 100
FEWEST = 40
"""The fewest frames that are enough to calibrate and score."""


@dataclass(frozen=True, slots=True)
class Scored:
    """The scores of one form of the model, on the frames kept for scoring.

    ``bytes`` is the size of .xml and .bin, ``service_ms`` the median service time, and ``agreement`` the agreement
    with the FP16 IR in float32.
    """

    bytes: int
    service_ms: float
    agreement: Agreement


@dataclass(frozen=True, slots=True)
class Quantization:
    """The result of quantizing: ``before`` is the FP16 IR in ir-auto-shared, ``after`` the INT8 IR in ir-int8.

    ``samples`` frames of ``source`` calibrated it, and it was scored on ``scored`` others; ``decode_errors`` has
    those that could not be decoded. ``path`` is the IR that was kept, None when it was refused because its agreement
    was below ``min_agreement``.
    """

    model: str
    source: str
    samples: int
    scored: int
    decode_errors: DecodeErrorsPart
    before: Scored
    after: Scored
    min_agreement: float
    path: Path | None


def quantize_model(
    model: Model,
    source: str,
    *,
    samples: int,
    min_agreement: float,
    advance: Callable[[str], None],
    video_stream: int | None = None,
) -> Quantization:
    """Quantizes ``model`` on ``samples`` frames of ``source`` and keeps it if it agrees with the original.

    ``advance`` is called with the name of the step, after each frame; ``video_stream`` as in a replay. Raises
    UsageError for what makes no sense, a source that is too short and a model that is quantized already;
    EngineUnavailable without NNCF or without a file to start from; CacheError when the cache cannot be written;
    SourceError, ModelError and EngineError when something fails on the way. Nothing is kept then.
    """
    if samples < FEWEST or not 0 <= min_agreement <= 1:
        raise UsageError(
            f"--samples {samples} --min-agreement {min_agreement}: give {FEWEST} or more, and a share from 0 to 1"
        )
    OPTIONS["video_stream"].refuse(video_stream)
    check_extra()
    kept()  # raises CacheError before the work
    original = _original(model)
    wanted = -(-samples * SCORED_OF // (SCORED_OF - 1))
    frames = ChosenFrames(source, wanted, video_stream=video_stream)
    if len(frames.indices) < FEWEST:
        raise UsageError(
            f"{frames.info.uri} has {len(frames.indices)} frames, too few to quantize with: give {FEWEST} or more"
        )
    with scratch_directory() as scratch:
        made = scratch / NAMES["int8"]
        calibration = _Calibration(frames, advance)
        quantize(original, calibration, len(calibration), model, made)
        before, after = _score(model, made, frames, advance)
        agreement = after.agreement.smaller
        agrees = (0.0 if agreement is None else agreement) >= min_agreement
        calibrating = _calibrating(frames.decoded)
        about = {"source": frames.info.uri, "samples": calibrating, "agreement": agreement}
        return Quantization(
            model=model.name,
            source=frames.info.uri,
            samples=calibrating,
            scored=after.agreement.frames,
            decode_errors=frames.decode_errors.part(),
            before=before,
            after=after,
            min_agreement=min_agreement,
            path=_keep(model, made, about) if agrees else None,
        )


def _original(model: Model) -> Path:
    """The file that the model is quantized from. Raises UsageError and EngineUnavailable."""
    if model.files.get("int8") == model.path:
        raise UsageError(f"{model.name} is quantized already: give the model that it was made from")
    kind = "ir" if model.kind == "ir" else "onnx"
    if kind not in model.files:
        raise EngineUnavailable(
            f"{model.name} has no ONNX file to quantize: streamer models export {model.path} --to onnx makes one"
        )
    if kind == "onnx" and is_quantized(model.files[kind]):
        raise UsageError(f"{model.name} is quantized already: give the model that it was made from")
    return model.files[kind]


def _calibrating(frames: int) -> int:
    """The number of the frames that are for the calibration."""
    return sum(1 for place in range(frames) if place % SCORED_OF)


class _Calibration:
    """The images that calibrate, as often as they are requested; ``advance`` is called after each."""

    def __init__(self, frames: ChosenFrames, advance: Callable[[str], None]) -> None:
        self._frames = frames
        self._advance = advance

    def __len__(self) -> int:
        return _calibrating(len(self._frames.indices))

    def __iter__(self) -> Iterator[Image]:
        for place, frame in enumerate(self._frames):
            if place % SCORED_OF:
                yield frame.image
                self._advance("calibrating")


def _score(model: Model, made: Path, frames: ChosenFrames, advance: Callable[[str], None]) -> tuple[Scored, Scored]:
    """The scores of the original and of the quantized model, both against the original in float32."""
    both = replace(model, files={**model.files, "int8": made}, hashes={**model.hashes, "int8": model_sha256(made)})
    meters = {BEFORE: AgreementMeter(), AFTER: AgreementMeter()}
    times: dict[str, list[int]] = {BEFORE: [], AFTER: []}
    now_us = MonotonicClock().now_us
    with ExitStack() as stack:
        opened = {text: stack.enter_context(Opened(parse_spec(text), both)) for text in (REFERENCE, BEFORE, AFTER)}
        for number, frame in enumerate(_for_scoring(frames)):
            exact = opened[REFERENCE].detect(frame)
            # The order is reversed from one frame to the next, so that a drift favours neither.
            for text in (BEFORE, AFTER) if number % 2 else (AFTER, BEFORE):
                start = now_us()
                found = opened[text].detect(frame)
                times[text].append(now_us() - start)
                meters[text].add(exact, found)
            advance("scoring")
    sizes = {BEFORE: ensure_ir(model), AFTER: made}
    before, after = (
        Scored(
            sum(part.stat().st_size for part in parts(sizes[text])),
            median(times[text]) / 1000,
            meters[text].result(),
        )
        for text in (BEFORE, AFTER)
    )
    return before, after


def _for_scoring(frames: ChosenFrames) -> Iterator[Frame]:
    scored = -(-len(frames.indices) // SCORED_OF)
    every = SCORED_OF * -(-scored // MOST_SCORED)
    for place, frame in enumerate(frames):
        if place % every == 0:
            yield frame


def _keep(model: Model, made: Path, about: Mapping[str, object]) -> Path:
    def build(scratch: Path) -> None:
        for part in parts(made):
            copyfile(part, scratch / part.name)

    return keep("int8", *model.quantized_key(), build, extra=about, replace=True)
