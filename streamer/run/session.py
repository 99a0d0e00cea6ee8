"""A run whose source and engine are open: warmed up, measured, and closed with its manifest."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from fractions import Fraction
from functools import partial
from typing import Any, cast

from streamer.engines.isolated import IsolatedEngine
from streamer.errors import SinkError
from streamer.ledger.ledger import Ledger, Watcher, Watchers
from streamer.ledger.outages import Outages
from streamer.pipeline.housekeeping import Chore, Housekeeping, Step, garbage_frozen
from streamer.pipeline.observer import Observer, Watch
from streamer.pipeline.pipeline import Extras, Pipeline
from streamer.pipeline.rounds import Intermission, Rounds
from streamer.run.finished import Run
from streamer.run.first_frames import release
from streamer.run.manifest import Manifest, summary
from streamer.run.measurements import Measurements
from streamer.run.notes import notes
from streamer.run.outputs import Outputs
from streamer.run.prepare import Prepared, prepare
from streamer.run.resources import Opened
from streamer.run.setup import nominal_deadline_us
from streamer.run.setup_parts import streams_part
from streamer.run.stages import Assembly
from streamer.run.summarize import Account, Aids, End
from streamer.run.warmup import warm_again
from streamer.rundir.rundir import RunDir
from streamer.rundir.segments import Segments
from streamer.stats.distribution import MOST_EXACT
from streamer.stats.hdr_log import write_hdr_log
from streamer.workers.defects import as_streamer_error
from streamer.workers.run_clock import RunTime
from streamer.workers.threads import Stage

WINDOW_BEHIND_US = 100_000
"""The delay of a window's end. A run that ends with a window ends a frame later, and must not begin another."""

SIZES_US = 1_000_000
"""How often the size of a camera that was away is looked for, in microseconds."""


class Session:
    """Runs the opened sources through the opened engine, once."""

    def __init__(self, opened: Opened, observer: Observer, rounds: Rounds | None, watch: Watch | None) -> None:
        self._opened = opened
        self._watch = watch
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
            # In a soak nothing may grow: exact values would look like a leak of up to 0.14 MB a minute.
            most_exact=MOST_EXACT if watch is None else 0,
        )
        self._watcher: Watcher = self._measured.watcher
        if watch is not None:
            self._watcher = Watchers(self._watcher, watch.begins(closed_loop=closed_loop, ticks_us=ticks_us))
        self._end = End()
        self._cpu_aside_s = 0.0
        self._write_again: Callable[[], None] = lambda: None

    async def run(self) -> Run:
        """Warms up, runs the pipeline, and closes the run directory."""
        prepared = await prepare(self._opened, self._assembly, self._time.stamp, self._watch)
        intermission = self._intermission(prepared)
        outputs = Outputs(self._opened, self._assembly)
        with ExitStack() as frozen:
            try:
                account = self._build(prepared, intermission, outputs)
                await self._begin(account, outputs)
                frozen.enter_context(garbage_frozen())
                # The last step that takes long: frames that come from here on wait for the origin.
                await release(self._opened, prepared.came_us)
                self._start(account)
            except BaseException:
                outputs.give_up()
                raise
            return await self._measure(account, outputs, frozen)

    def _intermission(self, prepared: Prepared) -> Intermission | None:
        if self._rounds is None:
            return None
        intermission = Intermission(
            self._rounds,
            None if self._schedule.closed_loop else self._schedule.rate,
            self._time,
            partial(warm_again, prepared.detectors, prepared.sample),
            self._aside,
        )
        self._measured.backlog.rounds = intermission.started
        return intermission

    def _build(self, prepared: Prepared, intermission: Intermission | None, outputs: Outputs) -> Account:
        """Builds the pipeline with its ledger; returns the objects that hold the facts of the run."""
        settings = self._opened.settings
        aids = Aids(
            watchdog=self._assembly.watchdog(),
            outages=Outages(settings.give_up_us),
            primer=prepared.primer,
            intermission=intermission,
            replacing=prepared.replacing,
            segments=outputs.segments,
            videos=outputs.videos,
        )
        ledger = Ledger(self._deadline_us, self._watcher, outputs.frame_rows)
        pipeline = Pipeline(
            streams=[
                self._assembly.stream(number, first, outputs.sink(number, self._time))
                for number, first in enumerate(prepared.firsts)
            ],
            policy=settings.effective_policy,
            queue=settings.queue,
            limits=settings.limits,
            detectors=prepared.detectors,
            ledger=ledger,
            time=self._time,
            watchdog=aids.watchdog,
            outages=aids.outages,
            extras=Extras(
                primer=aids.primer,
                intermission=aids.intermission,
                replacing=aids.replacing,
                canary=prepared.canary,
                on_gap=self._observer.waits,
            ),
            chores=self._chores(ledger, outputs.segments),
            decoded=self._measured.tail.decoded,
        )
        return Account(
            self._opened,
            self._measured,
            aids,
            self._deadline_us,
            prepared.sha256,
            prepared.damage,
            ledger,
            pipeline,
        )

    async def _begin(self, account: Account, outputs: Outputs) -> None:
        """Writes the facts that are known before the first frame."""
        outputs.directory.begin(begun := account.begun())
        if outputs.segments is not None:
            # This also starts the thread: starting it at the first cut could delay a frame.
            await self._opened.threads.run(outputs.segments.begin, Stage.HOUSEKEEPING)
        self._write_again = partial(self._write_sizes, outputs.directory, begun)

    def _start(self, account: Account) -> None:
        """Tells the observer that the run begins, and how to end it."""

        def stop(reason: str) -> None:
            self._end.interrupted = reason
            account.pipeline.stop()

        self._observer.started(stop, notes(self._opened))
        self._opened.threads.forget_cpu()
        if self._opened.load is not None:
            self._opened.load.begin()

    def _write_sizes(self, directory: RunDir, begun: dict[str, Any]) -> None:
        """Writes the sizes of cameras that have come since the run ``begun``, for a repair."""
        unknown = [number for number, stream in enumerate(begun["streams"]) if stream["width"] is None]
        if not any(self._opened.cameras[number].source.info.width for number in unknown):
            return
        begun["streams"] = streams = streams_part(self._opened.cameras)
        begun["source"] = {**begun["source"], "width": streams[0]["width"], "height": streams[0]["height"]}
        with suppress(SinkError):  # the tables report a full disk
            directory.begin(begun)

    async def _measure(self, account: Account, outputs: Outputs, frozen: ExitStack) -> Run:
        """Runs the pipeline to its end, whatever ends it; garbage is ``frozen`` until then."""
        pipeline, end = account.pipeline, self._end
        cpu = time.process_time() + self._engine_s()
        try:
            self._measured.suspensions.begin()
            await pipeline.run()
        except Exception as error:  # an unexpected error ends the run like any other
            end.failure = pipeline.failure or as_streamer_error(error, outputs.directory.path)
        except BaseException:
            end.interrupted = end.interrupted or "cancelled"
            raise
        finally:
            frozen.close()
            end.failure = end.failure or pipeline.failure
            end.cpu_s = time.process_time() + self._engine_s() - cpu - self._cpu_aside_s
            finished = self._finish(account, outputs)
        return finished

    def _finish(self, account: Account, outputs: Outputs) -> Run:
        """Closes the outputs, and writes the manifest."""
        end, directory = self._end, outputs.directory
        end.duration_us = account.ledger.last_us
        with end.failing():
            self._measured.finish(end.duration_us)
        account.aids.outages.finish(end.duration_us)
        if self._watch is not None:
            with end.failing():
                self._watch.ends(self._time.now_us())
        if self._opened.load is not None:
            self._opened.load.finish()
        for video in outputs.videos:
            with end.failing():
                video.close()
        if outputs.segments is not None:
            with end.failing():
                outputs.segments.finish()
        with end.failing():
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

    def _chores(self, ledger: Ledger, segments: Segments | None) -> list[Chore]:
        """The chores that are done between frames."""
        usual = Housekeeping(ledger, self._measured.tally, self._observer.progress, self._measured.sample)
        chores = usual.chores
        if any(awaited.away for awaited in self._opened.awaited.values()):
            chores.append(
                Chore("write the sizes of cameras", SIZES_US, (Step(lambda _: self._write_again(), aside=True),))
            )
        if segments is not None:
            chores.append(Chore("cut the files", segments.every_us, (Step(segments.cut, aside=True),)))
        if self._watch is not None:
            steps = (Step(self._watch.look, aside=True), Step(self._watch.between))
            chores.append(Chore("end a window", self._watch.window_us, steps, WINDOW_BEHIND_US))
        return chores

    @contextmanager
    def _aside(self) -> Iterator[None]:
        """Keeps what happens between rounds out of the run's figures."""
        cpu = time.process_time() + self._engine_s()
        try:
            with self._measured.aside(), self._opened.threads.uncounted():
                yield
        finally:
            self._cpu_aside_s += time.process_time() + self._engine_s() - cpu

    def _engine_s(self) -> float:
        """The CPU seconds of an isolated engine; 0 without one."""
        return self._opened.engine.cpu_s if isinstance(self._opened.engine, IsolatedEngine) else 0.0
