"""What a run writes into: its directory, the videos of its streams, and the pieces that they are cut into."""

from __future__ import annotations

from streamer.run.resources import Opened
from streamer.run.stages import Assembly
from streamer.rundir.frames_csv import FrameRows
from streamer.rundir.paths import default_path
from streamer.rundir.rundir import RunDir
from streamer.rundir.segments import PiecedVideo, Pieces
from streamer.settings import Video
from streamer.sink.sink import FileSink
from streamer.video.writer import VideoWriter
from streamer.workers.run_clock import RunTime


class Outputs:
    """Opens all that a run writes into. Raises UsageError when it cannot be made, SinkError when the disk is full.

    ``pieces`` is None of a run that is not cut.
    """

    def __init__(self, opened: Opened, assembly: Assembly) -> None:
        settings = opened.settings
        self._opened = opened
        self.directory = RunDir(
            settings.out or default_path(opened.started, opened.cameras[0].source.info.uri, opened.spec.spec),
            overwrite=settings.overwrite,
        )
        self.frame_rows = FrameRows(self.directory.frames)
        if opened.faults is not None:
            self.directory.frames.write = self.directory.detections.write = opened.faults.disk.write
        self.videos: list[VideoWriter | PiecedVideo] = []
        try:
            if settings.video is not Video.NONE:
                for number in range(len(opened.cameras)):
                    self.videos.append(assembly.encoder(self.directory, number))
        except BaseException:
            self.directory.give_up()
            raise
        self.pieces = self._pieces()

    def _pieces(self) -> Pieces | None:
        settings, directory = self._opened.settings, self.directory
        if settings.segment_s is None:
            return None
        videos = [video for video in self.videos if isinstance(video, PiecedVideo)]
        every_us = round(settings.segment_s * 1_000_000)
        return Pieces(directory.frames, directory.detections, videos, every_us, settings.keep_bytes)

    def sink(self, number: int, time: RunTime) -> FileSink:
        """The sink of a stream."""
        camera = self._opened.cameras[number]
        return FileSink(
            self.directory.detections.append,
            self.videos[number] if self.videos else None,
            self._opened.model.names,
            size=(camera.source.info.width, camera.source.info.height),
            shows_dropped=self._opened.settings.video is Video.ALL,
            media_time=camera.schedule.media_time,
            stamp=time.stamp,
        )
