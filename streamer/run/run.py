"""One run, from settings to a finished run directory: open, measure, summarize, draw."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from streamer.charts.latency import draw_latency
from streamer.engines.base import Engine
from streamer.engines.isolated import IsolatedEngine
from streamer.engines.registry import open_engine
from streamer.engines.spec_parser import parse_spec
from streamer.faults.inject import Faults
from streamer.faults.plan import parse_plan
from streamer.machine.load import LoadProcesses, parse_load
from streamer.machine.malloc import limit_arenas
from streamer.models.find import find_model
from streamer.pipeline.camera import cameras
from streamer.pipeline.checks import check_cameras, check_engine, check_streams
from streamer.pipeline.observer import Observer, Silent, Watch
from streamer.pipeline.rounds import Rounds
from streamer.run.finished import Run
from streamer.run.open_sources import Opening
from streamer.run.resources import Opened
from streamer.run.session import Session
from streamer.run.warmup import Timings, make_ready
from streamer.rundir.paths import RUNS
from streamer.rundir.rundir import check_out
from streamer.schedule.arrivals import parse_arrivals
from streamer.settings.settings import Settings
from streamer.sources.registry import check_access
from streamer.workers.clock import MonotonicClock
from streamer.workers.defects import as_streamer_error
from streamer.workers.threads import Stage, Threads


async def run(
    sources: Sequence[str],
    settings: Settings,
    observer: Observer | None = None,
    rounds: Rounds | None = None,
    watch: Watch | None = None,
) -> Run:
    """Runs ``sources``, a stream each, through one engine and writes a run directory.

    ``observer`` follows its progress, ``rounds`` decides when it goes on, and ``watch`` watches a run of hours.

    Raises StreamerError for what fails before anything is written. What fails later ends the run early, and is the
    ``failure`` of the result.
    """
    check_streams(settings.streams, len(sources))
    check_access(sources, settings.access)
    uris = list(sources) * settings.streams
    measured = await _measured(uris, settings, observer or Silent(), rounds, watch)
    if not settings.chart or settings.segment_s is not None:
        return measured  # the chart of a run in segments would show the last one alone
    gc.collect()  # frees the engine, the pipeline and their buffers before the chart needs memory
    try:
        draw_latency(measured.directory, measured.manifest)
    except Exception as error:  # whatever it is, the run itself is complete
        return replace(measured, failure=measured.failure or as_streamer_error(error, measured.directory))
    return measured


async def _measured(
    uris: Sequence[str], settings: Settings, observer: Observer, rounds: Rounds | None, watch: Watch | None
) -> Run:
    started = datetime.now(UTC)
    spec = parse_spec(settings.engine)
    check_engine(spec, queue=settings.queue, fps=settings.fps, respawn=settings.respawn)
    check_cameras(len(uris), spec=spec, fps=settings.fps)
    arrivals = None if settings.arrivals is None else parse_arrivals(settings.arrivals)
    faults = None if settings.faults is None else Faults(parse_plan(settings.faults))
    if settings.out is not None:
        check_out(settings.out, overwrite=settings.overwrite)
    if len(uris) > 1:
        limit_arenas()
    clock = MonotonicClock()
    with ExitStack() as stack:
        threads = Threads(clock)
        opening = Opening(uris, settings, clock, threads)
        stack.callback(opening.close)
        stack.callback(threads.close)
        sources = await opening.run()
        opened_cameras = cameras(uris, sources.all, settings.pace, arrivals, skip_gaps=settings.skip_gaps)
        if settings.fps != "max":
            clock.expect(float(sum(camera.schedule.rate for camera in opened_cameras)))
        if faults is not None:
            faults.check(opened_cameras, respawn=settings.respawn > 0)
            opened_cameras = faults.timed(opened_cameras)
            stack.callback(faults.kill)
            await threads.run(faults.start, Stage.SOURCE)
        model = find_model(settings.model, settings.trust)
        engine = IsolatedEngine(spec, model, settings.stall_s) if settings.respawn else open_engine(spec, model)
        stack.callback(_close_engine, engine, threads)
        timings = Timings()
        await threads.run(partial(make_ready, engine, clock, timings), Stage.ENGINE)
        opened = Opened(
            settings,
            started,
            spec,
            opened_cameras,
            sources.awaited,
            model,
            engine,
            timings,
            clock,
            threads,
            await _load(settings, threads, stack),
            faults,
        )
        return await Session(opened, observer, rounds, watch).run()


async def _load(settings: Settings, threads: Threads, stack: ExitStack) -> LoadProcesses | None:
    """The processes of the load, started; they end with the run, whatever happens."""
    load = parse_load(settings.load)
    if load is None:
        return None
    beside = (settings.out or RUNS).absolute()
    while not beside.is_dir():
        beside = beside.parent
    processes = LoadProcesses(load, beside)
    stack.callback(processes.kill)
    await threads.run(processes.wait_ready, Stage.ENGINE)
    return processes


def _close_engine(engine: Engine, threads: Threads) -> None:
    """Closes the engine, unless a lost thread is still in it; then the process of an isolated one is ended."""
    if Stage.ENGINE not in threads.lost:
        engine.close()
    elif isinstance(engine, IsolatedEngine):
        engine.kill()
