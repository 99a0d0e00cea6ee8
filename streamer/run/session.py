"""A run whose source and engine are open: warmed up, measured, and closed with its manifest."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import partial
from typing import cast

from streamer.engines.isolated import ApartEngine
from streamer.ledger.ledger import Ledger, Watcher, Watchers
from streamer.ledger.outages import Gaps
from streamer.pipeline.housekeeping import Housekeeping, garbage_frozen
from streamer.pipeline.observer import Observer, Vigil
from streamer.pipeline.pipeline import Extras, Pipeline
from streamer.pipeline.rounds import Intermission, Rounds
from streamer.run.finished import Run
from streamer.run.manifest import Manifest, summary
from streamer.run.measurements import Measurements
from streamer.run.notes import notes
from streamer.run.outputs import Outputs
from streamer.run.prepare import Prepared, prepare
from streamer.run.resources import Opened
from streamer.run.setup import nominal_deadline_us
from streamer.run.stages import Assembly
from streamer.run.summarize import Account, Aids, End
from streamer.run.warmup import catch_up, warm_again
from streamer.rundir.segments import Pieces
from streamer.stats.distribution import MOST_EXACT
from streamer.stats.hdr_log import write_hdr_log
from streamer.workers.defects import as_streamer_error
from streamer.workers.run_clock import RunTime


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
        self._deadline_us = nominal_deadline_us(opened.settings, [one.schedule for one in opened.cameras])
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
        self._end = End()
        self._cpu_aside_s = 0.0

    async def run(self) -> Run:
        """Warms up, runs the pipeline, and closes the run directory."""
        prepared = await prepare(self._opened, self._assembly, self._time.stamp, self._vigil)
        intermission = self._intermission(prepared)
        outputs = Outputs(self._opened, self._assembly)
        account = self._build(prepared, intermission, outputs)
        await self._begin(account, outputs, prepared.read_us)
        return await self._measure(account, outputs)

    def _intermission(self, prepared: Prepared) -> Intermission | None:
        if self._rounds is None:
            return None
        return Intermission(
            self._rounds,
            None if self._schedule.closed_loop else self._schedule.rate,
            self._time,
            partial(warm_again, prepared.detectors, prepared.sample),
            self._aside,
        )

    def _build(self, prepared: Prepared, intermission: Intermission | None, outputs: Outputs) -> Account:
        """The pipeline with its ledger, and where the facts of the run are."""
        settings = self._opened.settings
        aids = Aids(
            watchdog=self._assembly.watchdog(),
            gaps=Gaps(settings.give_up_us),
            primer=prepared.primer,
            intermission=intermission,
            replacing=prepared.replacing,
            pieces=outputs.pieces,
        )
        ledger = Ledger(self._deadline_us, self._watcher, outputs.frame_rows)
        sample = partial(self._sample, outputs.pieces)
        pipeline = Pipeline(
            streams=[
                self._assembly.stream(number, first, outputs.sink(number, self._time))
                for number, first in enumerate(prepared.firsts)
            ],
            policy=settings.policy_in_force,
            queue=settings.queue,
            limits=settings.limits,
            detectors=prepared.detectors,
            ledger=ledger,
            time=self._time,
            watchdog=aids.watchdog,
            gaps=aids.gaps,
            extras=Extras(
                primer=aids.primer,
                intermission=aids.intermission,
                replacing=aids.replacing,
                golden=prepared.golden,
                on_gap=self._observer.waits,
            ),
            on_idle=Housekeeping(ledger, self._measured.tally, self._observer.progress, sample),
            decoded=self._measured.tail.decoded,
        )
        return Account(self._opened, self._measured, aids, self._deadline_us, prepared.sha256, ledger, pipeline)

    async def _begin(self, account: Account, outputs: Outputs, read_us: int) -> None:
        """Writes down what is known, and lets go of what live sources have kept since ``read_us``."""
        try:
            outputs.directory.begin(account.begun())
            for camera in self._opened.cameras:
                if camera.source.info.live:
                    catching_up = partial(catch_up, camera.source, read_us, self._opened.clock)
                    await self._opened.threads.run(catching_up, camera.stage)
        except BaseException:
            outputs.directory.give_up()
            raise

    async def _measure(self, account: Account, outputs: Outputs) -> Run:
        """Runs the pipeline to its end, whatever that is."""
        opened, pipeline, end = self._opened, account.pipeline, self._end

        def stop(reason: str) -> None:
            end.interrupted = reason
            pipeline.stop()

        self._observer.started(stop, notes(opened))
        opened.threads.forget_cpu()
        if opened.load is not None:
            opened.load.begin()
        cpu = time.process_time() + self._engine_s()
        try:
            with garbage_frozen():
                await pipeline.run()
        except Exception as error:  # what nobody raised on purpose ends the run like an error that somebody did
            end.failure = pipeline.failure or as_streamer_error(error, outputs.directory.path)
        except BaseException:
            end.interrupted = end.interrupted or "cancelled"
            raise
        finally:
            end.failure = end.failure or pipeline.failure
            end.cpu_s = time.process_time() + self._engine_s() - cpu - self._cpu_aside_s
            finished = self._finish(account, outputs)
        return finished

    def _finish(self, account: Account, outputs: Outputs) -> Run:
        """Closes what is open, and writes the manifest."""
        end, directory = self._end, outputs.directory
        end.duration_us = self._time.now_us()
        self._measured.finish(end.duration_us)
        account.aids.gaps.finish(end.duration_us)
        if self._vigil is not None:
            with end.failing():
                self._vigil.ends(end.duration_us)
        if self._opened.load is not None:
            self._opened.load.finish()
        for video in outputs.videos:
            with end.failing():
                video.close()
        if outputs.pieces is not None:
            outputs.pieces.finish()
        directory.release()
        whole = self._measured.tally.whole()
        if not all(values.exact for values in whole.values()):
            with end.failing():
                write_hdr_log(directory.hdr_log, whole, end.duration_us / 1e6)
        facts = account.facts(end)
        document = cast(Manifest, summary(facts))
        with end.failing():
            document = cast(Manifest, directory.finish(document))
        return Run(directory.path, document, facts.totals.figures, end.failure, end.interrupted)

    def _sample(self, pieces: Pieces | None, collections: int) -> None:
        self._measured.sample(collections)
        now = self._time.now_us()
        if pieces is not None:
            pieces.between(now)
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
