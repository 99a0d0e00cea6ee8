"""What a run comes to: its manifest, at its end, and as far as it is known before its first frame."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from streamer.detection.preprocess import Preprocessing
from streamer.engines.config import AS_PICKLE, LOADED, WARNED
from streamer.errors import SinkError, StreamerError
from streamer.ledger.ledger import Ledger
from streamer.ledger.outages import Gaps
from streamer.machine import installation
from streamer.machine.info import resident_peak_mb, this_machine
from streamer.pipeline.engine_restart import Replacing
from streamer.pipeline.pipeline import Pipeline
from streamer.pipeline.priming import Primer
from streamer.pipeline.rounds import Intermission
from streamer.pipeline.watchdog import Watchdog
from streamer.run import doubts, manifest
from streamer.run.answer import plain_answer
from streamer.run.measurements import Measurements
from streamer.run.resources import Opened
from streamer.rundir.segments import Pieces
from streamer.stats.percentiles import parse_percentile
from streamer.stats.slo import check
from streamer.stats.summary import Statistics, counts, statistics
from streamer.stats.tail import told
from streamer.street.clip import SCENE


@dataclass(slots=True)
class Aids:
    """What a run has beside its pipeline, where it was asked for."""

    watchdog: Watchdog
    gaps: Gaps
    primer: Primer | None = None
    intermission: Intermission | None = None
    replacing: Replacing | None = None
    pieces: Pieces | None = None


@dataclass(slots=True)
class End:
    """How a run ended: ``duration_us`` of its time, with CPU seconds; by an error, or by what stopped it."""

    duration_us: int = 0
    cpu_s: float = 0.0
    failure: StreamerError | None = None
    interrupted: str | None = None

    @contextmanager
    def failing(self) -> Iterator[None]:
        """What cannot be written meanwhile is how the run failed, unless it had failed before."""
        try:
            yield
        except SinkError as error:
            self.failure = self.failure or error


class Account:
    """The account of a run; ``sha256`` is its source's."""

    def __init__(
        self, opened: Opened, measured: Measurements, aids: Aids, deadline_us: int | None, sha256: str | None
    ) -> None:
        self._opened = opened
        self._measured = measured
        self._aids = aids
        self._deadline_us = deadline_us
        self._sha256 = sha256

    def begun(self, ledger: Ledger, pipeline: Pipeline) -> dict[str, Any]:
        """The manifest as far as it is known before the first frame, with what a repair needs besides."""
        settings = self._opened.settings
        figures, document = self.document(ledger, pipeline, End())
        early = doubts.of_the_figures(figures, None if settings.until is None else parse_percentile(settings.until))
        early += [] if self._opened.faults is None else self._opened.faults.missed()
        return {
            **document,
            "verdict": None,
            "answer": None,
            "doubts": [doubt for doubt in document["doubts"] if doubt not in early],
            "asked": {
                "frames": settings.frames,
                "duration_s": settings.duration_s,
                "respawn": settings.respawn,
                "promised": [camera.source.info.frames for camera in self._opened.cameras],
            },
        }

    def document(self, ledger: Ledger, pipeline: Pipeline, end: End) -> tuple[dict[str, Statistics], dict[str, Any]]:
        """The figures, and the manifest."""
        opened, measured, aids = self._opened, self._measured, self._aids
        settings, schedule = opened.settings, opened.cameras[0].schedule
        whole = measured.tally.whole()
        figures = {name: statistics(values) for name, values in whole.items()}
        frames = counts(ledger)
        checks = check(settings.objectives, figures, frames)
        tail = measured.tail.explain()
        gaps = aids.gaps.part() if any(camera.source.info.live for camera in opened.cameras) else None
        machine = this_machine()
        length_s, windows = measured.windows.last()
        engine_part = manifest.engine_part(opened.spec, opened.engine, opened.timings, measured.device_changes)
        document = manifest.manifest(
            source=manifest.source_part(opened.cameras[0].source.info, self._sha256),
            streams=manifest.streams_part(opened.cameras, ledger),
            model=manifest.model_part(opened.model),
            engine=engine_part,
            machine=machine,
            run=manifest.run_part(
                settings,
                schedule,
                self._deadline_us,
                opened.started,
                end.duration_us,
                opened.timings,
                aids.intermission,
                exact=all(values.exact for values in whole.values()),
            ),
            frames=frames,
            figures=figures,
            parts_of_run=manifest.device_parts(measured.device_changes, measured.tally, end.duration_us),
            tail=tail,
            replacements=manifest.replacements_part(aids.replacing),
            pieces=None if aids.pieces is None else aids.pieces.part(),
            load=None if opened.load is None else opened.load.part(),
            faults=None if opened.faults is None else opened.faults.part(),
            stalls=manifest.stalls_part(aids.watchdog.stalls),
            gaps=gaps,
            priming=None if aids.primer is None else manifest.priming_part(aids.primer.tally),
            windows=manifest.windows_part(length_s, windows),
            resources={
                "cpu_s": round(end.cpu_s, 3),
                "cpu_s_by_stage": opened.threads.cpu_s,
                "cores_taken_by_others": round(measured.witness.others_cores, 3),
                "cores_taken_by_the_hypervisor": round(measured.witness.stolen_cores, 3),
                "throttled": measured.witness.throttled,
                "peak_resident_mb": resident_peak_mb(),
                "spin_us": opened.clock.spin_us,
                "decoded_while_measuring": pipeline.ungated,
                "most_waiting_for_sink": pipeline.most_waiting,
                "undrawn": pipeline.undrawn,
            },
            notes=self.notes(),
            doubts=[
                *(doubt for camera in opened.cameras for doubt in camera.source.doubts),
                *([] if opened.faults is None else [*opened.faults.doubts(), *opened.faults.missed()]),
                *doubts.of_the_pipeline(pipeline, ledger),
                *doubts.of_gaps(gaps),
                *([] if aids.replacing is None else doubts.of_replacements(aids.replacing.done)),
                *doubts.of_the_figures(figures, None if settings.until is None else parse_percentile(settings.until)),
                *doubts.of_steadiness(length_s, windows),
                *([] if aids.primer is None else doubts.of_priming(aids.primer.tally, ledger.scheduled)),
                *([] if opened.load is None else opened.load.doubts()),
                *doubts.of_the_machine(
                    machine, measured.witness, 0.0 if opened.load is None else opened.load.cores_taken
                ),
                *doubts.of_the_engine(
                    dict(opened.spec.config), opened.engine.config_in_force, measured.device_changes
                ),
            ],
            checks=checks,
            verdict=_verdict(ledger, end),
            error=None if end.failure is None else str(end.failure),
            answer=plain_answer(
                frames,
                figures,
                rates=[] if schedule.closed_loop else [camera.schedule.rate for camera in opened.cameras],
                duration_s=end.duration_us / 1e6,
                tail=told(tail),
            ),
        )
        return figures, document

    def notes(self) -> list[str]:
        """What is to be known before the run."""
        opened, notes = self._opened, []
        if opened.model.bundled and any(SCENE not in camera.source.info.comment for camera in opened.cameras):
            notes.append(
                "the bundled model knows only the synthetic street: on this video its latency is representative, "
                "its detections are not; give a model of your own with --model FILE.onnx"
            )
        if opened.spec.preprocess is Preprocessing.OFF:
            notes.append("preprocess=off: the model sees a gray picture, and what it detects means nothing")
        if opened.engine.config_in_force.get(LOADED) == AS_PICKLE:
            notes.append(f"{opened.model.files['pt'].name} was loaded as a pickle, which may run code of its maker")
        if warned := opened.engine.config_in_force.get(WARNED):
            notes.append(f"{opened.spec.runtime.value} warned when it compiled: {warned}")
        return [*notes, *installation.notes()]


def _verdict(ledger: Ledger, end: End) -> str:
    if not ledger.conserved:
        return "INVALID"
    if end.failure is not None:
        return "FAILED"
    return "VALID" if end.interrupted is None else "INTERRUPTED"
