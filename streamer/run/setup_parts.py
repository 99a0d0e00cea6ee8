"""The parts of ``run.json`` that are known without measuring: source, streams, model and engine."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Annotated, NotRequired, TypedDict

from streamer.address import writable
from streamer.detection.input_spec import Fit
from streamer.engines.base import Engine
from streamer.engines.variants import EngineSpec
from streamer.models.input_choice import InputPart, input_part
from streamer.models.model import Model
from streamer.pipeline.camera import Camera
from streamer.run.measurements import DeviceChange
from streamer.run.warmup import Timings
from streamer.schedule.file_gaps import FileGap, FileGaps
from streamer.sources.base import SourceInfo


class SourcePart(TypedDict):
    """The ``source``: that of the first stream."""

    uri: str
    """The path or address, without credentials."""
    width: int | None
    """Width of its frames in pixels. Null when a live source was away all the time."""
    height: int | None
    """Height of its frames in pixels. Null when a live source was away all the time."""
    fps: str
    """Nominal frames per second, as a fraction where that is no whole number (``30000/1001``). For a live source it
    is the rate at which frames came before the run, or an assumed one when it was away then."""
    announced_fps: NotRequired[str | None]
    """The rate that a live source announces, written as ``fps``. Null when it announces none, and when the source is
    not live."""
    frames: int | None
    """How many frames the source has. Null when no end is known: live, synthetic, or with ``--loop``."""
    live: bool
    """Whether frames come at the source's own pace: those of a camera or a network address."""
    sha256: str | None
    """The SHA-256 of the file, or of the names and contents of a folder's images. Null when the source is not on the
    disk."""


def source_part(info: SourceInfo, sha256: str | None) -> SourcePart:
    """The ``source`` of the manifest."""
    return {
        "uri": info.uri,
        "width": info.width or None,
        "height": info.height or None,
        "fps": str(info.rate),
        "announced_fps": _announced(info),
        "frames": info.frames,
        "live": info.live,
        "sha256": sha256,
    }


def _announced(info: SourceInfo) -> str | None:
    return None if info.announced_rate is None else str(info.announced_rate)


class FileGapPart(TypedDict):
    """A gap in the times of a file."""

    frame: int
    """The first frame after the gap, by its number from 0."""
    ms: float
    """How long the gap is: from the frame before it to the frame after it."""
    skipped_ms: float
    """How much of it was skipped with ``--skip-gaps``: all but one usual interval. 0 without that option."""


class StreamPart(TypedDict):
    """One of the ``streams``: what it plays, when it begins, and its frames."""

    stream: int
    """The number of the stream, from 0."""
    uri: str
    """The path or address, without credentials."""
    width: int | None
    """Width of its frames in pixels, of the first image where ``own_sizes``. Null when a live source was away all the
    time."""
    height: int | None
    """Height of its frames in pixels, of the first image where ``own_sizes``. Null when a live source was away all
    the time."""
    own_sizes: NotRequired[bool]
    """Whether each frame may have a size of its own: true for a folder of several images."""
    fps: str
    """As ``source.fps``, for this stream."""
    announced_fps: NotRequired[str | None]
    """As ``source.announced_fps``, for this stream."""
    live: bool
    """Whether frames come at the source's own pace: those of a camera or a network address."""
    video_stream: NotRequired[int | None]
    """Which video stream of the file is played, from 0. Null when the source is no video file."""
    phase_ms: float
    """How long after the start of the run the stream begins: streams are spread evenly over a frame period."""
    gaps: NotRequired[list[FileGapPart]]
    """File gaps: intervals in the file's times of more than 2 s and more than 10 usual intervals. Empty when there
    are none, and when frames are not due by the file's times."""
    loops_after: NotRequired[int | None]
    """After how many frames a file with gaps starts again (``--loop``). Where this is the ``frame`` of a gap, the gap
    lies between the file's end and its beginning. Null without gaps or without ``--loop``."""
    scheduled: int
    """How many of its frames were scheduled."""
    delivered: int
    """How many of its frames were delivered."""


def streams_part(cameras: Sequence[Camera]) -> list[StreamPart]:
    """The ``streams`` of the manifest, before their first frames."""
    return [
        {
            "stream": number,
            "uri": camera.source.info.uri,
            "width": camera.source.info.width or None,
            "height": camera.source.info.height or None,
            "own_sizes": camera.source.info.own_sizes,
            "fps": str(camera.source.info.rate),
            "announced_fps": _announced(camera.source.info),
            "live": camera.source.info.live,
            "video_stream": camera.source.info.video_stream,
            "phase_ms": camera.schedule.phase_us / 1000,
            "gaps": _gaps_part(camera.schedule.gaps),
            "loops_after": None if camera.schedule.gaps is None else camera.schedule.gaps.loops_after,
            "scheduled": 0,
            "delivered": 0,
        }
        for number, camera in enumerate(cameras)
    ]


def _gaps_part(gaps: FileGaps | None) -> list[FileGapPart]:
    return [
        {
            "frame": gap.frame,
            "ms": gap.us / 1000,
            "skipped_ms": gap.excess_us / 1000 if gaps is not None and gaps.skipped else 0.0,
        }
        for gap in (() if gaps is None else gaps.gaps)
    ]


def file_gaps(part: StreamPart) -> FileGaps | None:
    """The gaps of a stream, from its part of the manifest."""
    found = part.get("gaps", [])
    usual_us = round(1_000_000 / Fraction(part["fps"]))
    gaps = tuple(FileGap(one["frame"], round(one["ms"] * 1000), usual_us) for one in found)
    skipped = any(one["skipped_ms"] for one in found)
    return FileGaps(gaps, part.get("loops_after"), skipped) if gaps else None


class ModelPart(TypedDict):
    """The ``model``: its file, its input, its head and its classes."""

    name: str
    """The model's name: that of the bundled one or in the store, else the file's."""
    path: str
    """The model file that was named."""
    sha256: str
    """The SHA-256 of that file, together with the files of its weights where it has any beside it (an IR's
    ``.bin``)."""
    input_size: list[int]
    """Height and width of the model's input in pixels."""
    head: str
    """How the outputs are laid out: the name of a head."""
    classes: int | None
    """How many classes have a name. Null when nothing names them."""
    input: NotRequired[InputPart]
    """How a frame is made into the model's input."""
    confidence: NotRequired[float | None]
    """The confidence threshold that the model's metadata asks for; ``run.confidence`` is the one that was used. Null
    when it asks for none."""
    iou: NotRequired[float | None]
    """The IoU threshold that the model's metadata asks for; ``run.iou`` is the one that was used. Null when it asks
    for none."""


def model_part(model: Model, fit: Fit | None = None) -> ModelPart:
    """The ``model`` of the manifest; ``fit`` is the one requested instead of its own."""
    height, width = model.input_size
    by = model.input_by if fit is None else {**model.input_by, "fit": "--fit"}
    return {
        "name": model.name,
        "path": writable(str(model.path)),
        "sha256": model.sha256,
        "input_size": [height, width],
        "head": model.head,
        "classes": model.classes,
        "input": input_part(model.input_with(fit), by),
        "confidence": model.confidence,
        "iou": model.iou,
    }


DeviceChangePart = TypedDict(
    "DeviceChangePart",
    {
        "at_ms": Annotated[float, "When, in milliseconds of the run."],
        "from": Annotated[list[str], "The devices before."],
        "to": Annotated[list[str], "The devices after."],
    },
)
"""AUTO moved the model from some devices to others, at that many milliseconds of the run."""


def device_changes_part(changes: Sequence[DeviceChange]) -> list[DeviceChangePart]:
    """The ``device_changes`` of the engine."""
    return [
        {"at_ms": change.at_us / 1000, "from": list(change.before), "to": list(change.after)} for change in changes
    ]


class EnginePart(TypedDict):
    """The ``engine``: what was requested, what is effective, and what came before the warm-up."""

    spec: str
    """The engine as it was requested, as in ``ir-fast,threads=2``."""
    variant: str
    """The variant of that SPEC, as in ``ir-fast``."""
    runtime: str
    """What runs the model: ``openvino``, ``pytorch``, ``onnxruntime`` or ``null``."""
    device: str
    """The requested device: ``CPU``, ``GPU``, ``NPU`` or ``AUTO``, or one of several as in ``GPU.1``."""
    execution_devices: list[str]
    """The devices that ran the model at the end of the run, as the runtime reports them; in a repaired run those
    before its first frame."""
    device_changes: list[DeviceChangePart]
    """When AUTO moved the model to other devices during the run. Empty when it did not, and in a repaired run."""
    config_requested: dict[str, str | bool | int]
    """The requested configuration, by name: OpenVINO's properties, and ``shared``, ``preprocess``, ``prime`` and
    ``requests`` (0: as many as the runtime finds best)."""
    config_in_force: dict[str, str]
    """The effective configuration, read back from the runtime, by name. Threads and precision have OpenVINO's names
    in every runtime."""
    requests: int
    """How many inferences can be in flight at once: the requests of the compiled engine."""
    read_ms: float
    """Time to read the model's file, before the warm-up."""
    compile_ms: float
    """Time to compile the model, before the warm-up. About 0 with ONNX Runtime, which compiles as it reads."""
    first_inference_ms: float
    """The step infer of the first inference, before the warm-up; the longest when there are several requests."""


def engine_part(spec: EngineSpec, engine: Engine, timings: Timings) -> EnginePart:
    """The ``engine`` of the manifest, before its devices changed."""
    return {
        "spec": spec.spec,
        "variant": spec.variant,
        "runtime": spec.runtime.value,
        "device": spec.device,
        "execution_devices": list(engine.execution_devices),
        "device_changes": [],
        "config_requested": {
            **dict(spec.config),
            "shared": spec.shared,
            "preprocess": spec.preprocess.value,
            "prime": spec.prime,
            "requests": spec.requests,
        },
        "config_in_force": dict(engine.config_in_force),
        "requests": len(engine.requests),
        "read_ms": timings.read_ms,
        "compile_ms": timings.compile_ms,
        "first_inference_ms": timings.first_inference_ms,
    }
