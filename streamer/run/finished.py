"""What a run came to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from streamer.errors import StreamerError
from streamer.ledger.record import FrameRecord
from streamer.run.manifest import Manifest
from streamer.rundir.frames_csv import read_ledger
from streamer.stats.summary import Statistics


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run: its directory, its manifest, which is ``run.json``, and the statistics of each figure by name.

    ``failure`` is the error that ended it early; ``interrupted`` is what stopped it, as in SIGINT.
    """

    directory: Path
    manifest: Manifest
    figures: dict[str, Statistics]
    failure: StreamerError | None
    interrupted: str | None

    @property
    def ledger(self) -> list[FrameRecord]:
        """A record per scheduled frame, in the order of the frames."""
        return sorted(read_ledger(self.directory), key=lambda record: (record.stream, record.frame))
