"""The outputs of a run: its directory, the videos of its streams, and the segments that they are cut into."""

from __future__ import annotations

from contextlib import suppress

from streamer.errors import SinkError
from streamer.run.resources import Opened
from streamer.run.stages import Assembly
from streamer.rundir.frames_csv import FrameRows
from streamer.rundir.paths import CHART_FILE, default_path, video_name
from streamer.rundir.rundir import RunDir
from streamer.rundir.segments import SegmentedVideo, Segments
from streamer.settings.video import Video
from streamer.sink.sink import FileSink
from streamer.video.late import AnyVideo
from streamer.workers.run_clock import RunTime


class Outputs:
    """Opens the files of a run. Raises UsageError when they cannot be made, SinkError when the disk is full.

    ``segments`` is None for a run that is not cut.
    """

    def __init__(self, opened: Opened, assembly: Assembly) -> None:
        settings = opened.settings
        self._opened = opened
        self.directory = RunDir(
            settings.out or default_path(opened.started, opened.cameras[0].source.info.uri, opened.spec.spec),
            overwrite=settings.overwrite,
            more=self._names(),
            segmented=settings.segment_s is not None,
        )
        self.frame_rows = FrameRows(self.directory.frames)
        if opened.faults is not None:
            self.directory.frames.write = self.directory.detections.write = opened.faults.disk.write
        self.videos: list[AnyVideo | SegmentedVideo] = []
        self.segments: Segments | None = None
        try:
            if settings.video is not Video.NONE:
                for number in range(len(opened.cameras)):
                    self.videos.append(assembly.encoder(self.directory, number))
        except BaseException:
            self.give_up()
            raise
        self.segments = self._segments()

    def _names(self) -> list[str]:
        """The names of the files besides the tables: videos and chart."""
        settings, streams = self._opened.settings, len(self._opened.cameras)
        videos = [] if settings.video is Video.NONE else [video_name(stream, streams) for stream in range(streams)]
        return [*videos, CHART_FILE] if settings.chart and settings.segment_s is None else videos

    def give_up(self) -> None:
        """Closes and removes everything, for a run that never began; may be called again."""
        for video in self.videos:
            with suppress(SinkError):  # a full disk does not matter to a video that is removed
                video.close()
        if self.segments is not None:
            self.segments.give_up()
        self.directory.give_up()

    def _segments(self) -> Segments | None:
        settings, directory = self._opened.settings, self.directory
        if settings.segment_s is None:
            return None
        videos = [video for video in self.videos if isinstance(video, SegmentedVideo)]
        every_us = round(settings.segment_s * 1_000_000)
        return Segments(directory.frames, directory.detections, videos, every_us, settings.keep_bytes)

    def sink(self, number: int, time: RunTime) -> FileSink:
        """The sink of a stream."""
        camera = self._opened.cameras[number]
        info = camera.source.info
        return FileSink(
            self.directory.detections.append,
            self.videos[number] if self.videos else None,
            self._opened.model.names,
            size=(info.width, info.height) if info.width else None,
            shows_dropped=self._opened.settings.video is Video.ALL,
            media_time=camera.schedule.media_time,
            stamp=time.stamp,
        )
