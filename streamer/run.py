"""One run, from settings to a finished run directory: open, measure, sum up, draw."""

from __future__ import annotations

import gc
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from streamer.arrivals import parse_arrivals
from streamer.clock import MonotonicClock, Stage, Threads
from streamer.engines.opening import open_engine
from streamer.engines.recipe import parse_spec
from streamer.errors import SinkError, UsageError
from streamer.finished import Run
from streamer.manifest import Timings
from streamer.models.finding import find_model
from streamer.observer import Observer, Silent
from streamer.pictures.latency import draw_latency
from streamer.rounds import Rounds
from streamer.rundir import check_out
from streamer.schedule import Schedule
from streamer.session import Opened, Session
from streamer.settings import Settings
from streamer.sources.live import check_live
from streamer.sources.opening import open_source
from streamer.warmup import make_ready


async def run(source: str, settings: Settings, observer: Observer | None = None, rounds: Rounds | None = None) -> Run:
    """Runs ``source`` through one engine and writes a run directory; with ``rounds``, as they say when.

    Raises UsageError, SourceError, ModelError or EngineError before anything is written. What fails later ends the
    run early and is in the result.
    """
    measured = await _measured(source, settings, observer or Silent(), rounds)
    gc.collect()  # the engine, the pipeline and their buffers are gone before the picture takes memory of its own
    try:
        draw_latency(measured.directory, measured.manifest)
    except SinkError as error:
        return replace(measured, failure=measured.failure or error)
    return measured


async def _measured(source: str, settings: Settings, observer: Observer, rounds: Rounds | None) -> Run:
    started = datetime.now(UTC)
    spec = parse_spec(settings.engine)
    if spec.prime and settings.queue == 0 and settings.fps != "max":
        raise UsageError("--queue 0 with prime=on: a frame that falls due during priming is lost; use --queue 1")
    arrivals = None if settings.arrivals is None else parse_arrivals(settings.arrivals)
    if settings.out is not None:
        check_out(settings.out, overwrite=settings.overwrite)
    clock = MonotonicClock()
    with ExitStack() as stack:
        threads = Threads(clock)
        stack.callback(threads.close)
        opening = partial(open_source, source, loop=settings.loop, now_us=clock.now_us)
        camera = await threads.run(opening, Stage.SOURCE)
        stack.callback(camera.close)
        check_live(camera.info, settings)
        model = find_model(settings.model, settings.trust)
        engine = open_engine(spec, model)
        stack.callback(engine.close)
        timings = Timings()
        await threads.run(partial(make_ready, engine, clock, timings), Stage.ENGINE)
        schedule = Schedule(settings.pace, camera.info.rate, arrivals)
        opened = Opened(source, settings, started, spec, camera, model, engine, timings, clock, threads, schedule)
        return await Session(opened, observer, rounds).run()
