"""Before a run's directory is made: reads the first frames, and warms the engine up on the first of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from streamer.engines.isolated import IsolatedEngine
from streamer.engines.variants import Runtime
from streamer.frame import Frame
from streamer.pipeline.canary import Canary
from streamer.pipeline.detector import Detector
from streamer.pipeline.engine_restart import Replacing
from streamer.pipeline.observer import Watch
from streamer.pipeline.priming import Primer
from streamer.run.first_frames import first_frames
from streamer.run.resources import Opened
from streamer.run.stages import Assembly
from streamer.run.warmup import damage_of, warm_again, warm_drawing, warm_inference_us, warm_up
from streamer.settings.video import Video
from streamer.sources.base import Unreadable
from streamer.sources.fingerprint import fingerprint
from streamer.workers.threads import Stage


@dataclass(frozen=True, slots=True)
class Prepared:
    """A warm engine, with a detector for each of its requests.

    ``firsts`` are the streams' first frames (None: the camera is away), and ``came_us`` is when each came, by the
    clock. ``sample`` is the frame that the engine is warmed up on, and ``damage`` has the signs of a damaged model in
    it. ``sha256`` is the source's; None: it is no file.
    """

    detectors: Sequence[Detector]
    firsts: Sequence[Frame | Unreadable | None]
    came_us: Sequence[int]
    sample: Frame
    damage: Sequence[str]
    sha256: str | None
    primer: Primer | None
    replacing: Replacing | None
    canary: Canary | None


async def prepare(opened: Opened, assembly: Assembly, stamp: Callable[[], int], watch: Watch | None) -> Prepared:
    """Reads and warms up; ``stamp`` reads the run's time in us. Raises StreamerError when either fails."""
    threads, engine = opened.threads, opened.engine
    detectors = [assembly.detector(request) for request in engine.requests]
    sha256 = await threads.run(partial(fingerprint, opened.cameras[0].uri), Stage.SOURCE)
    firsts, came_us = await first_frames(opened)
    sample = assembly.warmup_frame(firsts)
    # On the thread that will serve the run: a runtime keeps some of its buffers by thread.
    warming = partial(warm_up, detectors, sample, opened.settings.warmup, opened.clock, opened.timings)
    await threads.run(warming, Stage.ENGINE)
    damage: Sequence[str] = ()
    if opened.spec.runtime is not Runtime.NULL:  # whose answers say nothing about the model
        damage = await threads.run(partial(damage_of, opened.model, detectors[0], sample), Stage.ENGINE)
    primer = replacing = canary = None
    if opened.spec.prime:
        warm_us = await threads.run(partial(warm_inference_us, detectors[0], sample), Stage.ENGINE)
        primer = Primer(warm_us, stamp)
    if isinstance(engine, IsolatedEngine):
        replacing = Replacing(opened.settings.respawn, partial(_renew, engine, detectors, sample), stamp)
    if watch is not None:
        canary = Canary(sample, watch.canary_every_us, watch.found)
        await threads.run(partial(canary.look, detectors[0]), Stage.ENGINE)
    if opened.settings.video is not Video.NONE:
        await threads.run(partial(warm_drawing, sample, opened.model.names), Stage.SINK)
    return Prepared(detectors, firsts, came_us, sample, damage, sha256, primer, replacing, canary)


def _renew(engine: IsolatedEngine, detectors: Sequence[Detector], sample: Frame) -> None:
    """Replaces the engine, and warms the next one up."""
    engine.replace()
    warm_again(detectors, sample)
