"""Notes: sentences to be known before the figures of a run are read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from streamer.detection.preprocess import Preprocessing
from streamer.engines.config import AS_PICKLE, CONVOLUTIONS, FEW_DIGITS, LOADED, WARNED, float_precision
from streamer.engines.variants import EngineSpec, Runtime
from streamer.machine import installation
from streamer.machine.info import lacks_vnni
from streamer.models.input_choice import ASSUMED
from streamer.models.input_option import as_option, grouped_by_origin
from streamer.models.model import Model
from streamer.models.quantized_onnx import is_quantized
from streamer.pipeline.camera import Camera
from streamer.run.resources import Opened
from streamer.schedule.file_gaps import FileGap, in_words
from streamer.schedule.schedule import Limits
from streamer.settings.settings import Settings
from streamer.street.marker import SCENE


def gap_notes(camera: Camera, limits: Limits) -> list[str]:
    """A note on the gaps in the times of a file that the run will come to: it waits for them, or skips them."""
    gaps, source = camera.schedule.gaps, camera.source

    def reached(gap: FileGap) -> bool:
        pts = source.pts(gap.frame)
        due = None if pts is None else camera.schedule.due_us(gap.frame, pts)
        return due is not None and not limits.reached(gap.frame, due)

    met = [] if gaps is None else [gap for gap in gaps.gaps if reached(gap)]
    if gaps is None or not met:
        return []
    listed = in_words([(gap.frame, gap.us / 1_000_000) for gap in met])
    found = f"the times of {Path(source.info.uri).name} have {listed}"
    each = "" if gaps.loops_after is None else ", and each time that it starts again"
    if gaps.skipped:
        return [f"{found}: {sum(gap.excess_us for gap in met) / 1_000_000:,.2f} s are skipped (--skip-gaps){each}"]
    them = "it" if len(met) == 1 else "them"
    return [f"{found}: nothing is due meanwhile, and the run waits{each}; --skip-gaps closes {them}"]


def notes(opened: Opened) -> list[str]:
    """The notes of a run, a sentence each."""
    found = []
    if opened.model.bundled and any(SCENE not in camera.source.info.comment for camera in opened.cameras):
        found.append(
            "the bundled model knows only the synthetic street: on this video its latency is representative, "
            "its detections are not; give a model of your own with --model FILE.onnx"
        )
    for camera in opened.cameras:
        of_file = [*camera.source.info.notes, *gap_notes(camera, opened.settings.limits)]
        found += [note for note in of_file if note not in found]
    if opened.spec.preprocess is Preprocessing.OFF:
        found.append("preprocess=off: the model sees a gray picture, and what it detects means nothing")
    if opened.engine.config_in_force.get(LOADED) == AS_PICKLE:
        found.append(f"{opened.model.files['pt'].name} was loaded as a pickle, which may run code of its maker")
    if warned := opened.engine.config_in_force.get(WARNED):
        found.append(f"{opened.spec.runtime.value} warned when it compiled: {warned}")
    found += of_input(opened.spec, opened.model, opened.settings)
    found += of_quantized_onnx(opened.spec, opened.model, opened.engine.config_in_force, overflowing=lacks_vnni())
    return [*found, *installation.notes()]


def of_input(spec: EngineSpec, model: Model, settings: Settings) -> list[str]:
    """Notes on assumed preprocessing, and on thresholds that differ from those in the model's metadata."""
    if spec.runtime is Runtime.NULL or spec.preprocess is Preprocessing.OFF:
        return []
    found, file = [], model.path.name
    used = model.input_with(settings.fit)
    by = model.input_by if settings.fit is None else {**model.input_by, "fit": "--fit"}
    parts = grouped_by_origin(used, by).get(ASSUMED)
    if parts:
        found.append(
            f"nothing says how {file} takes its pictures ({', '.join(parts)}): as models with its head do as a rule, "
            f"{as_option(used)}; if that is wrong, import the file under another --name with the right --input"
        )
    iou = None if model.decoder().suppressed else model.iou
    both_of = {"--conf": (model.confidence, settings.confidence), "--iou": (iou, settings.iou)}
    differing = {flag: both for flag, both in both_of.items() if both[0] not in (None, both[1])}
    if differing:
        wanted = " ".join(f"{flag} {theirs:.4g}" for flag, (theirs, _) in differing.items())
        effective = " ".join(f"{flag} {ours:g}" for flag, (_, ours) in differing.items())
        found.append(f"the metadata of {file} asks for {wanted}; this run has {effective}")
    return found


def of_quantized_onnx(
    spec: EngineSpec, model: Model, effective: Mapping[str, str], *, overflowing: bool
) -> list[str]:
    """Notes where OpenVINO may find less with a quantized ONNX file, or an IR made of it, than its maker did.

    ``effective`` is the engine's configuration. ``overflowing``: this CPU's sums of products of bytes may overflow. A
    model that NNCF quantizes allows for that.
    """
    from_onnx = spec.file == "onnx" or (spec.file == "ir" and "ir" not in model.files)
    precision, convolutions = float_precision(effective), effective.get(CONVOLUTIONS, "")
    in_bytes = convolutions.partition(" i8")[0].rpartition(" ")[2] if " i8" in convolutions else None
    short = precision in FEW_DIGITS
    if spec.runtime is not Runtime.OPENVINO or not from_onnx or not (short or (overflowing and in_bytes)):
        return []
    file = model.files["onnx"]
    if not is_quantized(file):
        return []
    found = []
    if short:
        found.append(
            f"{file.name} is quantized, and OpenVINO runs it in {precision} here, in which it may find less, or "
            f"nothing: give --engine {spec.variant},precision=f32"
        )
    if overflowing and in_bytes:
        found.append(
            f"{file.name} is quantized, and this CPU has no VNNI: OpenVINO runs {in_bytes} convolutions in 8 bits, "
            "whose sums may overflow, so that it may find less; see what streamer parity --engine onnxruntime finds"
        )
    return found
