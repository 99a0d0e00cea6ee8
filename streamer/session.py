"""A run whose source and engine are open: warmed up, measured, and closed with its manifest."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from streamer import doubts
from streamer import manifest as parts
from streamer.answer import plain_answer
from streamer.camera import Camera
from streamer.clock import MonotonicClock, RunTime, Stage, Threads
from streamer.csv_rows import frame_row
from streamer.detector import Detector
from streamer.engines.apart import ApartEngine
from streamer.engines.base import Engine
from streamer.engines.in_force import AS_PICKLE, LOADED
from streamer.engines.spec import EngineSpec
from streamer.errors import SinkError, StreamerError
from streamer.finished import Run
from streamer.frame import Frame
from streamer.freshness import Judge
from streamer.golden import GoldenFrame
from streamer.hdr_log import write_hdr_log
from streamer.ledger import Ledger, Watcher, Watchers
from streamer.machine import resident_peak_mb, this_machine
from streamer.measuring import Measurements
from streamer.models.model import Model
from streamer.observer import Observer
from streamer.percentiles import parse_percentile
from streamer.pieces import PiecedVideo, Pieces
from streamer.pipeline import Pipeline
from streamer.postprocess import Postprocess
from streamer.preprocess import Preprocessing, preprocess_for
from streamer.priming import Primer
from streamer.progress import Housekeeping, garbage_frozen
from streamer.replacing import Replacing
from streamer.rounds import Intermission, Rounds
from streamer.rundir import RunDir, default_path, video_name
from streamer.sample import SCENE
from streamer.settings import Settings, Video
from streamer.sink import FileSink
from streamer.slo import check
from streamer.sources.fingerprint import fingerprint
from streamer.stream import Stream
from streamer.summary import Statistics, counts, statistics
from streamer.tail import told
from streamer.video_writer import VideoWriter
from streamer.vigil import Vigil
from streamer.warmup import catch_up, warm_again, warm_drawing, warm_inference_us, warm_up
from streamer.watchdog import Watchdog


@dataclass(frozen=True, slots=True)
class Opened:
    """What a run is made with; the engine is ready."""

    settings: Settings
    started: datetime
    spec: EngineSpec
    cameras: Sequence[Camera]
    model: Model
    engine: Engine
    timings: parts.Timings
    clock: MonotonicClock
    threads: Threads


class Session:
    """Runs what is open, once."""

    def __init__(self, opened: Opened, observer: Observer, rounds: Rounds | None, vigil: Vigil | None) -> None:
        self._opened = opened
        self._vigil = vigil
        self._rounds = rounds
        self._observer = observer
        self._time = RunTime(opened.clock, opened.threads)
        self._schedule = opened.cameras[0].schedule
        self._deadline_us = parts.nominal_deadline_us(opened.settings, [one.schedule for one in opened.cameras])
        infos = [camera.source.info for camera in opened.cameras]
        ticks_us = [Fraction(1_000_000) / info.rate if info.live else None for info in infos]
        closed_loop = self._schedule.closed_loop
        self._measured = Measurements(opened.engine, self._time.now_us, closed_loop=closed_loop, ticks_us=ticks_us)
        self._watcher: Watcher = self._measured.watcher
        if vigil is not None:
            self._watcher = Watchers(self._watcher, vigil.begins(closed_loop=closed_loop, ticks_us=ticks_us))
        self._watchdog = self._watchdog_of(opened)
        self._primer: Primer | None = None
        self._intermission: Intermission | None = None
        self._replacing: Replacing | None = None
        self._pieces: Pieces | None = None
        self._sha256: str | None = None
        self._cpu_aside_s = 0.0
        self._interrupted: str | None = None
        self._failure: StreamerError | None = None

    async def run(self) -> Run:
        """Warms up, runs the pipeline, and closes the run directory."""
        opened, settings = self._opened, self._opened.settings
        detectors = [
            Detector(
                request,
                preprocess_for(opened.spec.preprocess, opened.model.input_size, settings.fit),
                Postprocess(opened.model.head, settings.confidence, settings.iou, len(opened.model.names)),
                self._time.stamp,
            )
            for request in opened.engine.requests
        ]
        self._sha256 = await opened.threads.run(partial(fingerprint, opened.cameras[0].uri), Stage.SOURCE)
        firsts = [await opened.threads.run(camera.source.read, Stage.SOURCE) for camera in opened.cameras]
        read_us = opened.clock.now_us()
        # On the thread that will serve the run: a runtime keeps some of its buffers by thread.
        sample = self._warmup_frame(firsts[0])
        await opened.threads.run(
            partial(warm_up, detectors, sample, settings.warmup, opened.clock, opened.timings), Stage.ENGINE
        )
        if opened.spec.prime:
            warm_us = await opened.threads.run(partial(warm_inference_us, detectors[0], sample), Stage.ENGINE)
            self._primer = Primer(warm_us, self._time.stamp)
        engine = opened.engine
        if isinstance(engine, ApartEngine):
            self._replacing = Replacing(
                settings.respawn, partial(_renew, engine, detectors, sample), self._time.stamp
            )
        golden = None
        if self._vigil is not None:
            golden = GoldenFrame(sample, self._vigil.golden_every_us, self._vigil.found)
            await opened.threads.run(partial(golden.look, detectors[0]), Stage.ENGINE)
        if self._rounds is not None:
            self._intermission = Intermission(
                self._rounds,
                None if self._schedule.closed_loop else self._schedule.rate,
                self._time,
                partial(warm_again, detectors, sample),
                self._aside,
            )
        if settings.video is not Video.NONE:
            await opened.threads.run(partial(warm_drawing, sample, opened.model.names), Stage.SINK)
        directory = RunDir(
            settings.out or default_path(opened.started, opened.cameras[0].source.info.uri, opened.spec.spec),
            overwrite=settings.overwrite,
        )
        ledger = Ledger(self._deadline_us, self._watcher, lambda record: directory.frames.append(frame_row(record)))
        encoders: list[VideoWriter | PiecedVideo] = []
        try:
            if settings.video is not Video.NONE:
                encoders += (self._encoder(directory, number) for number in range(len(opened.cameras)))
        except BaseException:
            directory.give_up()
            raise
        if settings.segment_s is not None:
            videos = [encoder for encoder in encoders if isinstance(encoder, PiecedVideo)]
            every_us = round(settings.segment_s * 1_000_000)
            self._pieces = Pieces(directory.frames, directory.detections, videos, every_us, settings.keep_bytes)
        pipeline = Pipeline(
            streams=[
                Stream(
                    camera.source,
                    first,
                    camera.schedule,
                    Judge(settings.freshness),
                    FileSink(
                        directory.detections.append,
                        encoders[number] if encoders else None,
                        opened.model.names,
                        shows_dropped=settings.video is Video.ALL,
                        media_time=camera.schedule.media_time,
                        stamp=self._time.stamp,
                    ),
                )
                for number, (camera, first) in enumerate(zip(opened.cameras, firsts, strict=True))
            ],
            policy=settings.policy_in_force,
            queue=settings.queue,
            limits=settings.limits,
            detectors=detectors,
            primer=self._primer,
            intermission=self._intermission,
            ledger=ledger,
            time=self._time,
            watchdog=self._watchdog,
            replacing=self._replacing,
            golden=golden,
            on_idle=Housekeeping(ledger, self._measured.tally, self._observer.progress, self._sample),
            decoded=self._measured.tail.decoded,
        )

        try:
            directory.begin(self._begun(ledger, pipeline))
            for camera in opened.cameras:
                if camera.source.info.live:
                    await opened.threads.run(partial(catch_up, camera.source, read_us, opened.clock), Stage.SOURCE)
        except BaseException:
            directory.give_up()
            raise

        def stop(reason: str) -> None:
            self._interrupted = reason
            pipeline.stop()

        self._observer.started(stop, self._notes())
        opened.threads.forget_cpu()
        cpu = time.process_time()
        try:
            with garbage_frozen():
                await pipeline.run()
        except BaseException:
            self._interrupted = self._interrupted or "cancelled"
            raise
        finally:
            self._failure = pipeline.failure
            finished = self._close(
                directory, encoders, ledger, pipeline, time.process_time() - cpu - self._cpu_aside_s
            )
        return finished

    def _begun(self, ledger: Ledger, pipeline: Pipeline) -> dict[str, Any]:
        """The manifest as far as it is known before the first frame, with what a repair needs besides."""
        settings = self._opened.settings
        figures, document = self._document(ledger, pipeline, 0, 0.0)
        early = doubts.of_the_figures(figures, None if settings.until is None else parse_percentile(settings.until))
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

    def _close(
        self,
        directory: RunDir,
        encoders: Sequence[VideoWriter | PiecedVideo],
        ledger: Ledger,
        pipeline: Pipeline,
        cpu_s: float,
    ) -> Run:
        duration_us = self._time.now_us()
        self._measured.finish(duration_us)
        if self._vigil is not None:
            self._vigil.ends(duration_us)
        for encoder in encoders:
            try:
                encoder.close()
            except SinkError as error:
                self._failure = self._failure or error
        if self._pieces is not None:
            self._pieces.finish()
        figures, document = self._document(ledger, pipeline, duration_us, cpu_s)
        try:
            if document["run"]["percentiles"] == "histogram":
                write_hdr_log(directory.hdr_log, self._measured.tally.whole(), duration_us / 1e6)
            document = directory.finish(document)
        except SinkError as error:
            self._failure = self._failure or error
        return Run(directory.path, document, figures, self._failure, self._interrupted)

    def _document(
        self, ledger: Ledger, pipeline: Pipeline, duration_us: int, cpu_s: float
    ) -> tuple[dict[str, Statistics], dict[str, Any]]:
        opened, measured = self._opened, self._measured
        settings, schedule = opened.settings, self._schedule
        whole = measured.tally.whole()
        figures = {name: statistics(values) for name, values in whole.items()}
        frames = counts(ledger)
        checks = check(settings.objectives, figures, frames)
        tail = measured.tail.explain()
        machine = this_machine()
        length_s, windows = measured.windows.last()
        engine_part = parts.engine_part(opened.spec, opened.engine, opened.timings, measured.device_changes)
        document = parts.manifest(
            source=parts.source_part(opened.cameras[0].source.info, self._sha256),
            streams=parts.streams_part(opened.cameras, ledger),
            model=parts.model_part(opened.model),
            engine=engine_part,
            machine=machine,
            run=parts.run_part(
                settings,
                schedule,
                self._deadline_us,
                opened.started,
                duration_us,
                opened.timings,
                self._intermission,
                exact=all(values.exact for values in whole.values()),
            ),
            frames=frames,
            figures=figures,
            parts_of_run=parts.device_parts(measured.device_changes, measured.tally, duration_us),
            tail=tail,
            replacements=parts.replacements_part(self._replacing),
            pieces=None if self._pieces is None else self._pieces.part(),
            stalls=parts.stalls_part(self._watchdog.stalls),
            priming=None if self._primer is None else parts.priming_part(self._primer.tally),
            windows=parts.windows_part(length_s, windows),
            resources={
                "cpu_s": round(cpu_s, 3),
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
            notes=self._notes(),
            doubts=[
                *(doubt for camera in opened.cameras for doubt in camera.source.doubts),
                *doubts.of_the_pipeline(pipeline, ledger),
                *([] if self._replacing is None else doubts.of_replacements(self._replacing.done)),
                *doubts.of_the_figures(figures, None if settings.until is None else parse_percentile(settings.until)),
                *doubts.of_steadiness(length_s, windows),
                *([] if self._primer is None else doubts.of_priming(self._primer.tally, ledger.scheduled)),
                *doubts.of_the_machine(machine, measured.witness),
                *doubts.of_the_engine(
                    dict(opened.spec.config), opened.engine.config_in_force, measured.device_changes
                ),
            ],
            checks=checks,
            verdict=self._verdict(ledger),
            error=None if self._failure is None else str(self._failure),
            answer=plain_answer(
                frames,
                figures,
                rates=[] if schedule.closed_loop else [camera.schedule.rate for camera in opened.cameras],
                duration_s=duration_us / 1e6,
                tail=told(tail),
            ),
        )
        return figures, document

    def _verdict(self, ledger: Ledger) -> str:
        if not ledger.conserved:
            return "INVALID"
        if self._failure is not None:
            return "FAILED"
        return "VALID" if self._interrupted is None else "INTERRUPTED"

    def _sample(self, collections: int) -> None:
        self._measured.sample(collections)
        now = self._time.now_us()
        if self._pieces is not None:
            self._pieces.between(now)
        if self._vigil is not None:
            self._vigil.between(now)

    @contextmanager
    def _aside(self) -> Iterator[None]:
        """What happens between rounds is not of the run."""
        cpu = time.process_time()
        try:
            with self._measured.aside(), self._opened.threads.uncounted():
                yield
        finally:
            self._cpu_aside_s += time.process_time() - cpu

    def _watchdog_of(self, opened: Opened) -> Watchdog:
        # Between two frames of a live source there is no telling how long it may take.
        live = any(camera.source.info.live for camera in opened.cameras)
        stages = [Stage.SINK, *([] if live else [Stage.SOURCE])]
        if not opened.settings.respawn:  # that watches the engine by itself
            stages.append(Stage.ENGINE)
        return Watchdog(self._time, round(opened.settings.stall_s * 1_000_000), stages)

    def _encoder(self, directory: RunDir, stream: int) -> VideoWriter | PiecedVideo:
        camera = self._opened.cameras[stream]
        info, schedule = camera.source.info, camera.schedule
        base = info.time_base if isinstance(schedule.pace, str) else 1 / schedule.pace
        path = directory.path / video_name(stream, len(self._opened.cameras))

        def make(path: Path) -> VideoWriter:
            return VideoWriter(path, info.width, info.height, schedule.rate, base)

        return make(path) if self._opened.settings.segment_s is None else PiecedVideo(path, make)

    def _warmup_frame(self, first: object) -> Frame:
        """A copy of the first frame, or a gray one when that cannot be decoded."""
        if isinstance(first, Frame):
            return Frame(first.stream, first.index, first.pts, first.image.copy())
        info = self._opened.cameras[0].source.info
        return Frame(0, 0, Fraction(0), np.full((info.height, info.width, 3), 114, np.uint8))

    def _notes(self) -> list[str]:
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
        return notes


def _renew(engine: ApartEngine, detectors: Sequence[Detector], sample: Frame) -> None:
    """Replaces the engine, and warms the next one up."""
    engine.replace()
    warm_again(detectors, sample)
