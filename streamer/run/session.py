"""A run whose source and engine are open: warmed up, measured, and closed with its manifest."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from functools import partial

from streamer.engines.isolated import ApartEngine
from streamer.frame import Frame
from streamer.ledger.ledger import Ledger, Watcher, Watchers
from streamer.ledger.outages import Gaps
from streamer.pipeline.canary import GoldenFrame
from streamer.pipeline.detector import Detector
from streamer.pipeline.engine_restart import Replacing
from streamer.pipeline.housekeeping import Housekeeping, garbage_frozen
from streamer.pipeline.observer import Observer, Vigil
from streamer.pipeline.pipeline import Extras, Pipeline
from streamer.pipeline.priming import Primer
from streamer.pipeline.rounds import Intermission, Rounds
from streamer.run import manifest
from streamer.run.finished import Run
from streamer.run.measurements import Measurements
from streamer.run.resources import Opened
from streamer.run.stages import Assembly
from streamer.run.summarize import Account, Aids, End
from streamer.run.warmup import catch_up, warm_again, warm_drawing, warm_inference_us, warm_up
from streamer.rundir.frames_csv import frame_row
from streamer.rundir.paths import default_path
from streamer.rundir.rundir import RunDir
from streamer.rundir.segments import PiecedVideo, Pieces
from streamer.settings import Video
from streamer.sink.sink import FileSink
from streamer.sources.fingerprint import fingerprint
from streamer.stats.distribution import MOST_EXACT
from streamer.stats.hdr_log import write_hdr_log
from streamer.video.writer import VideoWriter
from streamer.workers.defects import as_streamer_error
from streamer.workers.run_clock import RunTime
from streamer.workers.threads import Stage


class Session:
    """Runs what is open, once."""

    def __init__(self, opened: Opened, observer: Observer, rounds: Rounds | None, vigil: Vigil | None) -> None:
        self._opened = opened
        self._vigil = vigil
        self._rounds = rounds
        self._observer = observer
        self._time = RunTime(opened.clock, opened.threads)
        self._assembly = Assembly(opened, self._time)
        self._schedule = opened.cameras[0].schedule
        self._deadline_us = manifest.nominal_deadline_us(opened.settings, [one.schedule for one in opened.cameras])
        infos = [camera.source.info for camera in opened.cameras]
        ticks_us = [Fraction(1_000_000) / info.rate if info.live else None for info in infos]
        closed_loop = self._schedule.closed_loop
        self._measured = Measurements(
            opened.engine,
            self._time.now_us,
            closed_loop=closed_loop,
            ticks_us=ticks_us,
            engine_s=self._engine_s,
            # Of a soak nothing may grow: values kept one by one would look like a leak of up to 0.14 MB a minute.
            most_exact=MOST_EXACT if vigil is None else 0,
        )
        self._watcher: Watcher = self._measured.watcher
        if vigil is not None:
            self._watcher = Watchers(self._watcher, vigil.begins(closed_loop=closed_loop, ticks_us=ticks_us))
        self._aids = Aids(self._assembly.watchdog(), Gaps(opened.settings.give_up_us))
        self._end = End()
        self._cpu_aside_s = 0.0

    async def run(self) -> Run:
        """Warms up, runs the pipeline, and closes the run directory."""
        opened, settings = self._opened, self._opened.settings
        detectors = [self._assembly.detector(request) for request in opened.engine.requests]
        sha256 = await opened.threads.run(partial(fingerprint, opened.cameras[0].uri), Stage.SOURCE)
        firsts = [await opened.threads.run(camera.source.read, camera.stage) for camera in opened.cameras]
        read_us = opened.clock.now_us()
        # On the thread that will serve the run: a runtime keeps some of its buffers by thread.
        sample = self._assembly.warmup_frame(firsts[0])
        await opened.threads.run(
            partial(warm_up, detectors, sample, settings.warmup, opened.clock, opened.timings), Stage.ENGINE
        )
        if opened.spec.prime:
            warm_us = await opened.threads.run(partial(warm_inference_us, detectors[0], sample), Stage.ENGINE)
            self._aids.primer = Primer(warm_us, self._time.stamp)
        engine = opened.engine
        if isinstance(engine, ApartEngine):
            self._aids.replacing = Replacing(
                settings.respawn, partial(_renew, engine, detectors, sample), self._time.stamp
            )
        golden = None
        if self._vigil is not None:
            golden = GoldenFrame(sample, self._vigil.golden_every_us, self._vigil.found)
            await opened.threads.run(partial(golden.look, detectors[0]), Stage.ENGINE)
        if self._rounds is not None:
            self._aids.intermission = Intermission(
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
        if opened.faults is not None:
            directory.frames.write = directory.detections.write = opened.faults.disk.write
        encoders: list[VideoWriter | PiecedVideo] = []
        try:
            if settings.video is not Video.NONE:
                encoders += (self._assembly.encoder(directory, number) for number in range(len(opened.cameras)))
        except BaseException:
            directory.give_up()
            raise
        if settings.segment_s is not None:
            videos = [encoder for encoder in encoders if isinstance(encoder, PiecedVideo)]
            every_us = round(settings.segment_s * 1_000_000)
            self._aids.pieces = Pieces(directory.frames, directory.detections, videos, every_us, settings.keep_bytes)
        pipeline = Pipeline(
            streams=[
                self._assembly.stream(
                    number,
                    first,
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
            ledger=ledger,
            time=self._time,
            watchdog=self._aids.watchdog,
            gaps=self._aids.gaps,
            extras=Extras(
                primer=self._aids.primer,
                intermission=self._aids.intermission,
                replacing=self._aids.replacing,
                golden=golden,
            ),
            on_idle=Housekeeping(ledger, self._measured.tally, self._observer.progress, self._sample),
            decoded=self._measured.tail.decoded,
        )

        account = Account(opened, self._measured, self._aids, self._deadline_us, sha256)
        try:
            directory.begin(account.begun(ledger, pipeline))
            for camera in opened.cameras:
                if camera.source.info.live:
                    await opened.threads.run(partial(catch_up, camera.source, read_us, opened.clock), camera.stage)
        except BaseException:
            directory.give_up()
            raise

        def stop(reason: str) -> None:
            self._end.interrupted = reason
            pipeline.stop()

        self._observer.started(stop, account.notes())
        opened.threads.forget_cpu()
        if opened.load is not None:
            opened.load.begin()
        cpu = time.process_time() + self._engine_s()
        try:
            with garbage_frozen():
                await pipeline.run()
        except Exception as error:  # what nobody raised on purpose ends the run like an error that somebody did
            self._end.failure = pipeline.failure or as_streamer_error(error, directory.path)
        except BaseException:
            self._end.interrupted = self._end.interrupted or "cancelled"
            raise
        finally:
            self._end.failure = self._end.failure or pipeline.failure
            self._end.cpu_s = time.process_time() + self._engine_s() - cpu - self._cpu_aside_s
            finished = self._close(directory, encoders, ledger, pipeline, account)
        return finished

    def _close(
        self,
        directory: RunDir,
        encoders: Sequence[VideoWriter | PiecedVideo],
        ledger: Ledger,
        pipeline: Pipeline,
        account: Account,
    ) -> Run:
        end = self._end
        end.duration_us = self._time.now_us()
        self._measured.finish(end.duration_us)
        self._aids.gaps.finish(end.duration_us)
        if self._vigil is not None:
            with end.failing():
                self._vigil.ends(end.duration_us)
        if self._opened.load is not None:
            self._opened.load.finish()
        for encoder in encoders:
            with end.failing():
                encoder.close()
        if self._aids.pieces is not None:
            self._aids.pieces.finish()
        directory.release()
        whole = self._measured.tally.whole()
        if not all(values.exact for values in whole.values()):
            with end.failing():
                write_hdr_log(directory.hdr_log, whole, end.duration_us / 1e6)
        figures, document = account.document(ledger, pipeline, end)
        with end.failing():
            document = directory.finish(document)
        return Run(directory.path, document, figures, end.failure, end.interrupted)

    def _sample(self, collections: int) -> None:
        self._measured.sample(collections)
        now = self._time.now_us()
        if self._aids.pieces is not None:
            self._aids.pieces.between(now)
        if self._vigil is not None:
            self._vigil.between(now)

    @contextmanager
    def _aside(self) -> Iterator[None]:
        """What happens between rounds is not of the run."""
        cpu = time.process_time() + self._engine_s()
        try:
            with self._measured.aside(), self._opened.threads.uncounted():
                yield
        finally:
            self._cpu_aside_s += time.process_time() + self._engine_s() - cpu

    def _engine_s(self) -> float:
        """CPU seconds of an engine in a process of its own."""
        return self._opened.engine.cpu_s if isinstance(self._opened.engine, ApartEngine) else 0.0


def _renew(engine: ApartEngine, detectors: Sequence[Detector], sample: Frame) -> None:
    """Replaces the engine, and warms the next one up."""
    engine.replace()
    warm_again(detectors, sample)
