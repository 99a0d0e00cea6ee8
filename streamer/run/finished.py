"""The result of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from streamer.charts.shown import Cell, Shown, figure
from streamer.errors import StreamerError
from streamer.ledger.record import FrameRecord
from streamer.run.manifest import Manifest
from streamer.rundir.arrays import Rows, detections_array, frames_array, reading
from streamer.rundir.frames_csv import read_ledger
from streamer.rundir.paths import CHART_FILE, FRAMES
from streamer.stats.summary import Statistics

SHOWN_FIGURES = ("latency", "result_latency", "service", "age", "lateness")
SHOWN = ("mean", "p50", "p95", "p99", "max")
"""The figures that a notebook shows, and the statistics of each."""


@dataclass(frozen=True, repr=False)
class Run(Shown):
    """A finished run: its directory, its manifest, which is ``run.json``, and the statistics of each figure by name.

    ``failure`` is the error that ended it early; ``interrupted`` is what stopped it, as in SIGINT.
    """

    CHART: ClassVar = CHART_FILE

    directory: Path
    manifest: Manifest
    figures: dict[str, Statistics]
    failure: StreamerError | None
    interrupted: str | None

    @property
    def ledger(self) -> list[FrameRecord]:
        """A record per scheduled frame, in the order of the frames. Raises UsageError when they cannot be read."""
        with reading(self.directory / FRAMES):
            return sorted(read_ledger(self.directory), key=lambda record: (record.stream, record.frame))

    @cached_property
    def frames(self) -> Rows:
        """A NumPy structured array with a row per scheduled frame, in the order of the frames, to be read only.

        Its fields are the columns of ``frames.csv``: times in milliseconds, as float64. NaN stands for a step that
        never happened, and in ``detections`` for a frame that was not detected. ``late`` is a bool,
        ``outcome`` and ``reason`` are texts. It is read from the run directory at the first access.

        Raises UsageError when that cannot be read.
        """
        return frames_array(self.directory)

    @cached_property
    def detections(self) -> Rows:
        """The same with a row per detected object, and the columns of ``detections.csv``: boxes in pixels.

        Raises UsageError when it cannot be read.
        """
        return detections_array(self.directory)

    @property
    def document(self) -> Manifest:
        """The manifest, as all results have it."""
        return self.manifest

    def _rows(self) -> tuple[Sequence[str], Sequence[Sequence[Cell]]]:
        manifest: Mapping[str, Any] = self.manifest
        parts = {name.replace("_", " "): manifest[f"{name}_ms"] for name in SHOWN_FIGURES}
        return ("ms", *SHOWN), [
            (label, *(figure(part[name], name, part["n"]) for name in SHOWN))
            for label, part in parts.items()
            if part["n"]
        ]

    def _also(self) -> Sequence[str]:
        return [
            f"slo {one['objective']}: {'met' if one['met'] else 'missed'}, {one['why']}"
            for one in self.manifest["slo_checks"]
        ]
