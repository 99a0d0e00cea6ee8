"""One run, from settings to a finished run directory: open, warm up, run the pipeline, sum up."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from streamer import manifest as parts
from streamer.answer import plain_answer
from streamer.clock import MonotonicClock, RunTime, Stage, Threads
from streamer.csv_rows import frame_row, read_frames
from streamer.detector import Detector
from streamer.doubts import doubts
from streamer.engines.base import Engine
from streamer.engines.opening import open_engine
from streamer.engines.spec import EngineSpec, parse_spec
from streamer.errors import SinkError, StreamerError
from streamer.frame import Frame
from streamer.ledger import FrameRecord, Ledger
from streamer.machine import resident_peak_mb, this_machine
from streamer.models import Model, find_model, sha256
from streamer.pipeline import Limits, Pipeline
from streamer.postprocess import Postprocess
from streamer.preprocess import Preprocess
from streamer.progress import Housekeeping, Progress, garbage_frozen
from streamer.rundir import FRAMES, RunDir, check_out, default_path
from streamer.sample import SCENE
from streamer.schedule import Schedule
from streamer.settings import Settings, Video
from streamer.sink import FileSink
from streamer.source import Source, VideoSource
from streamer.summary import Statistics, Tally, counts
from streamer.video_writer import VideoWriter
from streamer.warmup import make_ready, warm_drawing, warm_up


class Observer(Protocol):
    """Who wants to know how a run gets on. Each call must be short."""

    def started(self, stop: Callable[[str], None], notes: list[str]) -> None:
        """The pipeline is about to run; ``stop`` ends it, with the reason."""

    def progress(self, progress: Progress) -> None:
        """About twice a second, between frames."""


class Silent:
    """An observer that does not look."""

    def started(self, stop: Callable[[str], None], notes: list[str]) -> None:
        pass

    def progress(self, progress: Progress) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run: its directory, its manifest, and the statistics of each figure by name.

    ``failure`` is the error that ended it early; ``interrupted`` is what stopped it, as in SIGINT.
    """

    directory: Path
    manifest: dict[str, Any]
    figures: dict[str, Statistics]
    failure: StreamerError | None
    interrupted: str | None

    @property
    def ledger(self) -> list[FrameRecord]:
        """A record per scheduled frame, in the order of the frames."""
        return sorted(read_frames(self.directory / FRAMES), key=lambda record: (record.stream, record.frame))


async def run(source: str, settings: Settings, observer: Observer | None = None) -> Run:
    """Runs ``source`` through one engine and writes a run directory.

    Raises UsageError, SourceError, ModelError or EngineError before anything is written. What fails later ends the
    run early and is in the result.
    """
    started = datetime.now(UTC)
    spec = parse_spec(settings.engine)
    if settings.out is not None:
        check_out(settings.out, overwrite=settings.overwrite)
    clock = MonotonicClock()
    with ExitStack() as stack:
        camera = VideoSource(Path(source), loop=settings.loop)
        stack.callback(camera.close)
        model = find_model(settings.model)
        engine = open_engine(spec, model)
        stack.callback(engine.close)
        timings = parts.Timings()
        threads = Threads(clock)
        stack.callback(threads.close)
        await threads.run(partial(make_ready, engine, clock, timings), Stage.ENGINE)
        session = _Session(source, settings, started, spec, camera, model, engine, timings, clock, threads)
        return await session.run(observer or Silent())


class _Session:
    """A run whose source and engine are open."""

    def __init__(
        self,
        source: str,
        settings: Settings,
        started: datetime,
        spec: EngineSpec,
        camera: Source,
        model: Model,
        engine: Engine,
        timings: parts.Timings,
        clock: MonotonicClock,
        threads: Threads,
    ) -> None:
        self._source = source
        self._settings = settings
        self._started = started
        self._spec = spec
        self._camera = camera
        self._model = model
        self._engine = engine
        self._timings = timings
        self._clock = clock
        self._threads = threads
        self._time = RunTime(clock, threads)
        self._schedule = Schedule(settings.pace, camera.info.rate)
        self._deadline_us = parts.nominal_deadline_us(settings, self._schedule)
        self._devices = engine.execution_devices
        self._tally = Tally(closed_loop=self._schedule.closed_loop)
        self._interrupted: str | None = None
        self._failure: StreamerError | None = None

    async def run(self, observer: Observer) -> Run:
        settings = self._settings
        detectors = [
            Detector(
                request,
                Preprocess(self._model.input_size, settings.fit),
                Postprocess(self._model.head, settings.confidence, settings.iou),
                self._time.stamp,
            )
            for request in self._engine.requests
        ]
        first = await self._threads.run(self._camera.read, Stage.SOURCE)
        # On the thread that will serve the run: a runtime keeps some of its buffers by thread.
        sample = self._warmup_frame(first)
        await self._threads.run(
            partial(warm_up, detectors, sample, settings.warmup, self._clock, self._timings), Stage.ENGINE
        )
        if settings.video is not Video.NONE:
            await self._threads.run(partial(warm_drawing, sample, self._model.names), Stage.SINK)
        path = settings.out or default_path(self._started, self._source, self._spec.spec)
        directory = RunDir(path, overwrite=settings.overwrite)
        ledger = Ledger(self._deadline_us, self._tally, lambda record: directory.frames.append(frame_row(record)))
        try:
            encoder = self._encoder(directory)
        except BaseException:
            directory.give_up()
            raise
        pipeline = Pipeline(
            source=self._camera,
            first=first,
            schedule=self._schedule,
            policy=settings.policy_in_force,
            queue=settings.queue,
            limits=Limits(settings.frames, None if settings.duration_s is None else round(settings.duration_s * 1e6)),
            detectors=detectors,
            sink=FileSink(
                directory.detections.append,
                encoder,
                self._model.names,
                shows_dropped=settings.video is Video.ALL,
                media_time=self._schedule.media_time,
                stamp=self._time.stamp,
            ),
            ledger=ledger,
            time=self._time,
            on_idle=Housekeeping(ledger, self._tally, observer.progress),
        )

        def stop(reason: str) -> None:
            self._interrupted = reason
            pipeline.stop()

        observer.started(stop, self._notes())
        self._threads.forget_cpu()
        cpu = time.process_time()
        try:
            with garbage_frozen():
                await pipeline.run()
        except BaseException:
            self._interrupted = self._interrupted or "cancelled"
            raise
        finally:
            self._failure = pipeline.failure
            finished = self._finish(directory, encoder, ledger, pipeline, time.process_time() - cpu)
        return finished

    def _finish(
        self,
        directory: RunDir,
        encoder: VideoWriter | None,
        ledger: Ledger,
        pipeline: Pipeline,
        cpu_s: float,
    ) -> Run:
        duration_us = self._time.now_us()
        self._tally.finish()
        try:
            if encoder is not None:
                encoder.close()
        except SinkError as error:
            self._failure = self._failure or error
        figures = self._tally.statistics()
        frames = counts(ledger)
        schedule = self._schedule
        document = parts.manifest(
            source=parts.source_part(self._camera.info, sha256(Path(self._source))),
            model=parts.model_part(self._model),
            engine=parts.engine_part(self._spec, self._engine, self._timings, self._devices),
            machine=this_machine(),
            run=parts.run_part(
                self._settings, schedule, self._deadline_us, self._started, duration_us, self._timings
            ),
            frames=frames,
            figures=figures,
            resources={
                "cpu_s": round(cpu_s, 3),
                "cpu_s_by_stage": self._threads.cpu_s,
                "peak_resident_mb": resident_peak_mb(),
                "decoded_while_measuring": pipeline.ungated,
                "most_waiting_for_sink": pipeline.most_waiting,
            },
            notes=self._notes(),
            doubts=[*self._camera.doubts, *doubts(pipeline, ledger)],
            verdict=self._verdict(ledger),
            error=None if self._failure is None else str(self._failure),
            answer=plain_answer(
                frames,
                figures,
                rate=None if schedule.closed_loop else schedule.rate,
                duration_s=duration_us / 1e6,
            ),
        )
        try:
            directory.finish(document)
        except SinkError as error:
            self._failure = self._failure or error
        return Run(directory.path, document, figures, self._failure, self._interrupted)

    def _verdict(self, ledger: Ledger) -> str:
        if not ledger.conserved:
            return "INVALID"
        if self._failure is not None:
            return "FAILED"
        return "VALID" if self._interrupted is None else "INTERRUPTED"

    def _encoder(self, directory: RunDir) -> VideoWriter | None:
        if self._settings.video is Video.NONE:
            return None
        info = self._camera.info
        pace = self._schedule.pace
        base = info.time_base if isinstance(pace, str) else 1 / pace
        return VideoWriter(directory.video, info.width, info.height, self._schedule.rate, base)

    def _warmup_frame(self, first: object) -> Frame:
        """A copy of the first frame, or a gray one when that cannot be decoded."""
        if isinstance(first, Frame):
            return Frame(first.stream, first.index, first.pts, first.image.copy())
        info = self._camera.info
        return Frame(0, 0, Fraction(0), np.full((info.height, info.width, 3), 114, np.uint8))

    def _notes(self) -> list[str]:
        if self._model.bundled and SCENE not in self._camera.info.comment:
            return [
                "the bundled model knows only the synthetic street: on this video its latency is representative, "
                "its detections are not; give a model of your own with --model FILE.onnx"
            ]
        return []
