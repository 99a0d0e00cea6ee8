"""``run.json``: what ran, on what, and the summary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Any

from streamer import __version__
from streamer.engines.base import Engine
from streamer.engines.variants import EngineSpec
from streamer.ledger.ledger import Ledger
from streamer.ledger.record import Outcome
from streamer.machine.info import Machine
from streamer.models.model import Model
from streamer.pipeline.camera import Camera
from streamer.pipeline.engine_restart import Replacing
from streamer.pipeline.priming import PrimingTally
from streamer.pipeline.rounds import Intermission
from streamer.pipeline.watchdog import Stall
from streamer.run.measurements import DeviceChange
from streamer.run.warmup import Timings
from streamer.schedule.schedule import Schedule
from streamer.settings import Settings
from streamer.sources.base import SourceInfo
from streamer.stats.slo import Checked
from streamer.stats.steadiness import Window
from streamer.stats.summary import Statistics, Tally, omission_gap
from streamer.vendors.versions import versions

SCHEMA_VERSION = 1


def source_part(info: SourceInfo, sha256: str | None) -> dict[str, Any]:
    """The ``source`` of the manifest; ``fps`` is a fraction where it is no whole number, as in 30000/1001."""
    return {
        "uri": info.uri,
        "width": info.width,
        "height": info.height,
        "fps": str(info.rate),
        "frames": info.frames,
        "live": info.live,
        "sha256": sha256,
    }


def streams_part(cameras: Sequence[Camera], ledger: Ledger) -> list[dict[str, Any]]:
    """The ``streams`` of the manifest: what each plays, how much later than the origin it begins, its frames."""
    return [
        {
            "stream": number,
            "uri": camera.source.info.uri,
            "width": camera.source.info.width,
            "height": camera.source.info.height,
            "fps": str(camera.source.info.rate),
            "live": camera.source.info.live,
            "phase_ms": camera.schedule.phase_us / 1000,
            "scheduled": sum(ledger.of_streams[number, outcome] for outcome in Outcome),
            "delivered": ledger.of_streams[number, Outcome.DELIVERED],
        }
        for number, camera in enumerate(cameras)
    ]


def model_part(model: Model) -> dict[str, Any]:
    """The ``model`` of the manifest."""
    height, width = model.input_size
    return {
        "name": model.name,
        "path": str(model.path),
        "sha256": model.sha256,
        "input_size": [height, width],
        "head": model.head.value,
        "classes": len(model.names),
    }


def engine_part(
    spec: EngineSpec, engine: Engine, timings: Timings, changes: Sequence[DeviceChange]
) -> dict[str, Any]:
    """The ``engine`` of the manifest."""
    return {
        "spec": spec.spec,
        "variant": spec.variant,
        "runtime": spec.runtime.value,
        "device": spec.device,
        "execution_devices": list(engine.execution_devices),
        "device_changes": [
            {"at_ms": change.at_us / 1000, "from": list(change.before), "to": list(change.after)}
            for change in changes
        ],
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


def run_part(
    settings: Settings,
    schedule: Schedule,
    deadline_us: int | None,
    started: datetime,
    duration_us: int,
    timings: Timings,
    intermission: Intermission | None,
    *,
    exact: bool,
) -> dict[str, Any]:
    """The ``run`` of the manifest: what was asked, with its defaults worked out, and the rounds it ran in, if any."""
    rounds = None if intermission is None else intermission.started
    return {
        "fps": "max" if schedule.closed_loop else str(schedule.rate),
        "schedule": settings.pace if isinstance(settings.pace, str) else "fps",
        "closed_loop": schedule.closed_loop,
        "policy": settings.policy_in_force.value,
        "queue": 0 if schedule.closed_loop else settings.queue,
        "arrivals": None if schedule.arrivals is None else schedule.arrivals.text,
        "max_age_ms": settings.max_age_ms,
        "skip_partial": settings.skip_partial,
        "until": settings.until,
        "slo": settings.slo,
        "percentiles": "exact" if exact else "histogram",
        "deadline_ms": None if deadline_us is None else deadline_us / 1000,
        "warmup": settings.warmup,
        "warmup_ms": timings.warmup_ms,
        "video": settings.video.value,
        "confidence": settings.confidence,
        "iou": settings.iou,
        "fit": settings.fit.value,
        "loop": settings.loop,
        "give_up_s": None if settings.give_up_us is None else settings.give_up_us / 1_000_000,
        "study": None if intermission is None else intermission.study,
        "rounds": None
        if rounds is None
        else [{"frame": frame, "start_ms": start_us / 1000} for frame, start_us in rounds],
        "garbage_collection": "frozen after warm-up, then only between frames",
        "started": started.isoformat(timespec="milliseconds"),
        "duration_s": duration_us / 1_000_000,
    }


def manifest(
    *,
    source: Mapping[str, Any],
    streams: Sequence[Mapping[str, Any]],
    model: Mapping[str, Any],
    engine: Mapping[str, Any],
    machine: Machine,
    run: Mapping[str, Any],
    frames: Mapping[str, int],
    figures: Mapping[str, Statistics],
    parts_of_run: Sequence[Mapping[str, Any]],
    tail: Mapping[str, Any] | None,
    priming: Mapping[str, Any] | None,
    replacements: Sequence[Mapping[str, Any]],
    pieces: Mapping[str, Any] | None,
    load: Mapping[str, Any] | None,
    faults: Sequence[Mapping[str, Any]] | None,
    stalls: Sequence[Mapping[str, Any]],
    gaps: Mapping[str, Any] | None,
    windows: Mapping[str, Any],
    resources: Mapping[str, Any],
    notes: Sequence[str],
    doubts: Sequence[str],
    checks: Sequence[Checked],
    verdict: str,
    error: str | None,
    answer: str,
) -> dict[str, Any]:
    """The manifest, in the order in which people read it."""
    return {
        "schema_version": SCHEMA_VERSION,
        "streamer": __version__,
        "verdict": verdict,
        "answer": answer,
        "error": error,
        "notes": list(notes),
        "doubts": list(doubts),
        "slo": None if not checks else "met" if all(one.met for one in checks) else "missed",
        "slo_checks": [one.as_dict() for one in checks],
        "source": dict(source),
        "streams": list(streams),
        "model": dict(model),
        "engine": dict(engine),
        "run": dict(run),
        "frames": dict(frames),
        **{f"{name}_ms": figure.as_dict() for name, figure in figures.items()},
        "omission_gap": omission_gap(figures),
        "tail": tail,
        "priming": priming,
        "replacements": list(replacements),
        "pieces": pieces,
        "load": load,
        "faults": faults,
        "stalls": list(stalls),
        "gaps": gaps,
        "windows": dict(windows),
        "parts": list(parts_of_run),
        "repaired": None,
        "resources": dict(resources),
        "machine": machine.as_dict(),
        "versions": versions(),
    }


def priming_part(tally: PrimingTally) -> dict[str, Any]:
    """The ``priming`` of the manifest: throw-away inferences, their CPU time, and the real frames they delayed."""
    return {
        "inferences": tally.inferences,
        "frames_primed": tally.primed,
        "frames_without_room": tally.no_room,
        "cpu_s": round(tally.cpu_s, 3),
        "cpu_ms_per_primed_frame": round(tally.cpu_s * 1000 / tally.primed, 3) if tally.primed else None,
        "frames_delayed": tally.delayed,
        "most_delay_ms": tally.most_delay_us / 1000,
    }


def replacements_part(replacing: Replacing | None) -> list[dict[str, Any]]:
    """The ``replacements`` of the manifest: why the engine was lost, when, and when the next one was ready."""
    return [
        {"why": one.why, "at_ms": one.at_us / 1000, "back_ms": one.back_us / 1000}
        for one in (() if replacing is None else replacing.done)
    ]


def stalls_part(stalls: Sequence[Stall]) -> list[dict[str, Any]]:
    """The ``stalls`` of the manifest: which stage was stuck, when that was seen, and where in the code it was."""
    return [{"stage": stall.stage.value, "at_ms": stall.at_us / 1000, "stack": stall.stack} for stall in stalls]


def windows_part(length_s: int, windows: Sequence[Window]) -> dict[str, Any]:
    """The ``windows`` of the manifest: the last three, by which a run is called steady."""
    return {
        "seconds": length_s,
        "rate": [round(window.rate, 3) for window in windows],
        "latency_ms": [round(window.latency_ms, 3) for window in windows],
    }


def device_parts(changes: Sequence[DeviceChange], tally: Tally, duration_us: int) -> list[dict[str, Any]]:
    """The ``parts`` of the manifest: figures of each stretch between changes of the device; none without changes."""
    if not changes:
        return []
    edges = [0, *(change.at_us for change in changes), duration_us]
    devices = [changes[0].before, *(change.after for change in changes)]
    return [
        {
            "from_ms": start / 1000,
            "to_ms": end / 1000,
            "execution_devices": list(ran),
            **{f"{name}_ms": figure.as_dict() for name, figure in figures.items()},
        }
        for start, end, ran, figures in zip(edges, edges[1:], devices, tally.parts(), strict=False)
    ]


def nominal_deadline_us(settings: Settings, schedules: Sequence[Schedule]) -> int | None:
    """The deadline in force: what was asked, else the shortest nominal frame period, none for a closed loop."""
    if settings.deadline_ms is not None:
        return round(settings.deadline_ms * 1000)
    if schedules[0].closed_loop:
        return None
    return round(Fraction(1_000_000) / max(schedule.rate for schedule in schedules))
