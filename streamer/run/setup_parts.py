"""The parts of ``run.json`` that are known without measuring: source, streams, model and engine."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NotRequired, TypedDict

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
    """The ``source``: the first stream's, width and height in pixels, and the SHA-256 of a file.

    ``fps`` is a fraction where it is no whole number, as in 30000/1001: of a live source what came before the run, of
    which ``announced_fps`` is what it says itself, null where it says nothing. ``frames`` is null where it does not
    tell, ``width`` and ``height`` are where it was away all the time.
    """

    uri: str
    width: int | None
    height: int | None
    fps: str
    announced_fps: NotRequired[str | None]
    frames: int | None
    live: bool
    sha256: str | None


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
    """A gap in the times of a file: the frame after it, its length, and how much of that is skipped."""

    frame: int
    ms: float
    skipped_ms: float


class StreamPart(TypedDict):
    """One of the ``streams``: what it plays, how many milliseconds after the origin it begins, and its frames.

    ``width`` and ``height`` are null of a camera that was away all the time.
    ``video_stream`` is which of a file's video streams is played, from 0; null of what is no video file. ``gaps``
    are those in the times by which its frames are due. A file that starts again does so after
    ``loops_after`` frames, which is the frame of a gap between its end and its beginning; null where it has no gap.
    Where images have ``own_sizes``, ``width`` and ``height`` are the first one's.
    """

    stream: int
    uri: str
    width: int | None
    height: int | None
    own_sizes: NotRequired[bool]
    fps: str
    announced_fps: NotRequired[str | None]
    live: bool
    video_stream: NotRequired[int | None]
    phase_ms: float
    gaps: NotRequired[list[FileGapPart]]
    loops_after: NotRequired[int | None]
    scheduled: int
    delivered: int


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
    """The ``model``: its file and the SHA-256, height and width of its input in pixels, its head, and its classes.

    ``input`` is how pictures were made ready for it; ``confidence`` and ``iou`` are the thresholds that its metadata
    asks for, null where it asks for none.
    """

    name: str
    path: str
    sha256: str
    input_size: list[int]
    head: str
    classes: int | None
    input: NotRequired[InputPart]
    confidence: NotRequired[float | None]
    iou: NotRequired[float | None]


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


DeviceChangePart = TypedDict("DeviceChangePart", {"at_ms": float, "from": list[str], "to": list[str]})
"""AUTO moved the model from some devices to others, at that many milliseconds of the run."""


def device_changes_part(changes: Sequence[DeviceChange]) -> list[DeviceChangePart]:
    """The ``device_changes`` of the engine."""
    return [
        {"at_ms": change.at_us / 1000, "from": list(change.before), "to": list(change.after)} for change in changes
    ]


class EnginePart(TypedDict):
    """The ``engine``: what was asked for, what the runtime says is in force, and what came before the warm-up.

    ``*_ms`` are milliseconds. Keys of ``config_in_force`` are OpenVINO's, of all runtimes.
    """

    spec: str
    variant: str
    runtime: str
    device: str
    execution_devices: list[str]
    device_changes: list[DeviceChangePart]
    config_requested: dict[str, str | bool | int]
    config_in_force: dict[str, str]
    requests: int
    read_ms: float
    compile_ms: float
    first_inference_ms: float


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
