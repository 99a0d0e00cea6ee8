"""Builds the stages of a run from its settings, with its faults on purpose."""

from __future__ import annotations

import time
from collections.abc import Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np

from streamer.engines.base import Request
from streamer.engines.isolated import IsolatedEngine
from streamer.engines.steps import steps_for
from streamer.faults.engine import FaultyDetector
from streamer.faults.inject import means_of
from streamer.frame import Frame
from streamer.pipeline.detector import Detector
from streamer.pipeline.drop_policy import FreshnessCheck
from streamer.pipeline.stream import Stream
from streamer.pipeline.watchdog import Watchdog
from streamer.run.resources import Opened
from streamer.rundir.paths import video_name
from streamer.rundir.rundir import RunDir
from streamer.rundir.segments import SegmentedVideo
from streamer.sink.sink import Sink
from streamer.sources.base import Unreadable
from streamer.video.late import AnyVideo, LateVideo
from streamer.video.writer import VideoWriter
from streamer.workers.run_clock import RunTime
from streamer.workers.threads import Stage


class Assembly:
    """Makes the stages of a run from what is ``opened``; ``time`` is the run's."""

    def __init__(self, opened: Opened, time: RunTime) -> None:
        self._opened = opened
        self._time = time

    def watchdog(self) -> Watchdog:
        """The watchdog of the stages that can hang."""
        opened = self._opened
        # Not live sources: their next frame may come at any time.
        stages = [Stage.SINK, Stage.SOURCE, Stage.HOUSEKEEPING]
        if not opened.settings.respawn:  # an isolated engine is watched by its own timeout
            stages.append(Stage.ENGINE)
        return Watchdog(self._time, round(opened.settings.stall_s * 1_000_000), stages)

    def detector(self, request: Request) -> Detector:
        """The detector of a request, with the faults of the engine if there are any."""
        opened, settings, stamp = self._opened, self._opened.settings, self._time.stamp
        preprocess, postprocess = steps_for(
            opened.spec, opened.model, fit=settings.fit, confidence=settings.confidence, iou=settings.iou
        )
        if opened.faults is None or not opened.faults.engine:
            return Detector(request, preprocess, postprocess, stamp)
        means = means_of(time.sleep, opened.engine.signal if isinstance(opened.engine, IsolatedEngine) else None)
        return FaultyDetector(request, preprocess, postprocess, stamp, opened.faults.engine, means)

    def stream(self, number: int, first: Frame | Unreadable | None, sink: Sink) -> Stream:
        """A stream, with the faults of its source and of its sink if there are any."""
        camera, faults = self._opened.cameras[number], self._opened.faults
        source = camera.source
        if faults is not None:
            source = faults.source(number, camera, self._time.stamp, time.sleep)
            sink = faults.sink(number, sink, self._time.stamp, time.sleep)
        return Stream(source, first, camera.schedule, FreshnessCheck(self._opened.settings.freshness), sink)

    def encoder(self, directory: RunDir, stream: int) -> AnyVideo | SegmentedVideo:
        """The annotated video of a stream, with the faults of the disk if there are any."""
        camera, faults = self._opened.cameras[stream], self._opened.faults
        path = directory.path / video_name(stream, len(self._opened.cameras))

        def write(path: Path, comment: str) -> VideoWriter:
            info, schedule = camera.source.info, camera.schedule
            writer = partial(
                VideoWriter,
                path,
                info.width,
                info.height,
                schedule.rate,
                schedule.video_tick(info.time_base),
                comment=comment,
                sample_aspect_ratio=info.sample_aspect_ratio,
            )
            return writer() if faults is None else writer(open_file=faults.disk.open)

        def make(path: Path, comment: str = "") -> AnyVideo:
            if camera.source.info.width:
                return write(path, comment)
            return LateVideo(lambda: write(path, comment) if camera.source.info.width else None)

        return make(path) if self._opened.settings.segment_s is None else SegmentedVideo(path, make)

    def warmup_frame(self, firsts: Sequence[Frame | Unreadable | None]) -> Frame:
        """A copy of the first frame of the first camera that is not away; a gray one when that cannot be decoded."""
        infos = [camera.source.info for camera in self._opened.cameras]
        number = next(number for number, info in enumerate(infos) if info.width)
        first, info = firsts[number], infos[number]
        if isinstance(first, Frame):
            return Frame(first.stream, first.index, first.pts, first.image.copy())
        return Frame(0, 0, Fraction(0), np.full((info.height, info.width, 3), 114, np.uint8))
