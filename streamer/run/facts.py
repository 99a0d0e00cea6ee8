"""The facts of a run, finished or killed, before they are put into sentences and into ``run.json``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from streamer.ledger.decode_errors import DecodeErrorsPart
from streamer.ledger.ledger import Ledger
from streamer.ledger.outages import OutagesPart
from streamer.ledger.record import Outcome
from streamer.machine.contention import ContentionMeter
from streamer.machine.suspension import SuspensionsPart
from streamer.run.measured_parts import (
    DevicePart,
    PrimingPart,
    RepairedPart,
    ReplacementPart,
    ResourcesPart,
    StallPart,
)
from streamer.run.measurements import DeviceChange
from streamer.run.setup import Setup
from streamer.rundir.segments import SegmentsPart
from streamer.stats.backlog import Backlog
from streamer.stats.steadiness import Window, Windows
from streamer.stats.summary import Statistics, Tally, counts, statistics
from streamer.stats.tail import TailPart


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """The totals of a run's rows. ``of_streams`` counts frames by stream and outcome, ``objects`` detected objects.

    ``drop_reasons`` counts dropped frames by reason, ``after_damage`` delivered frames that may show damage. The
    ledger is ``conserved`` when every scheduled frame has exactly one outcome. ``exact``: no value is in a bucket of
    a histogram. ``windows`` are the last ones, of ``window_s`` seconds each. ``backlog`` has the streams that fell
    behind. ``surest`` is the highest confidence of a detection; 0 where it is not known, as after a kill.
    """

    frames: Mapping[str, int]
    decode_errors: DecodeErrorsPart
    drop_reasons: Mapping[str, int]
    objects: int
    of_streams: Counter[tuple[int, Outcome]]
    conserved: bool
    figures: dict[str, Statistics]
    exact: bool
    window_s: int
    windows: Sequence[Window]
    backlog: Backlog
    surest: float = 0.0
    after_damage: int = 0


def totals(ledger: Ledger, tally: Tally, windows: Windows, backlog: Backlog) -> Totals:
    """The totals of the watchers that have followed the rows."""
    whole = tally.whole()
    window_s, last = windows.last()
    return Totals(
        frames=counts(ledger),
        decode_errors=ledger.decode_errors.part(),
        drop_reasons=dict(ledger.drop_reasons),
        objects=tally.objects,
        of_streams=Counter(ledger.of_streams),
        conserved=ledger.conserved,
        figures={name: statistics(values) for name, values in whole.items()},
        exact=all(values.exact for values in whole.values()),
        window_s=window_s,
        windows=last,
        backlog=backlog,
        surest=tally.surest,
        after_damage=ledger.after_damage,
    )


@dataclass(frozen=True, slots=True)
class Contention:
    """The contention for the CPU: cores used by others and by the hypervisor, and how often it was throttled."""

    others_cores: float
    stolen_cores: float
    throttled: int

    @classmethod
    def seen_by(cls, meter: ContentionMeter) -> Contention:
        """The contention that a meter has measured so far."""
        return cls(meter.others_cores, meter.stolen_cores, meter.throttled)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """The facts that were observed during a run, and are in none of its rows.

    ``priming`` and ``tail`` are None where there was none, or nothing to report. ``ungated`` counts frames that were
    decoded while another was measured, ``undrawn`` dropped frames that are not in the video, ``held`` pictures that
    are in it besides the frames. ``load_cores`` are the cores that the load used, ``load_doubts`` what it could not
    do. ``fault_doubts`` report the faults on purpose, ``faults_missed`` those that were not triggered.
    """

    device_changes: Sequence[DeviceChange]
    device_parts: Sequence[DevicePart]
    tail: TailPart | None
    priming: PrimingPart | None
    stalls: Sequence[StallPart]
    resources: ResourcesPart
    contention: Contention
    ungated: int
    undrawn: int
    held: int
    load_cores: float
    load_doubts: Sequence[str]
    fault_doubts: Sequence[str]
    faults_missed: Sequence[str]

    @property
    def suspensions(self) -> SuspensionsPart | None:
        """Stretches in which the process did not run; None where there were none."""
        found = self.resources.get("suspensions")
        return found if found is not None and found["count"] else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The facts that a run's manifest is made from. None: not known, or there was nothing of the kind.

    ``observed`` is None after a kill, and ``repaired`` in any other run. ``duration_us`` is the run's last stamp,
    ``error`` its failure, ``stopped_by`` what stopped it, as in SIGINT. ``raised`` are the doubts of its model and
    its sources; after a kill, those from before the first frame. ``study`` is the study whose ``rounds`` it ran in:
    the first frame of each, and when that was due, in microseconds of the run.
    """

    setup: Setup
    totals: Totals
    duration_us: int
    error: str | None
    stopped_by: str | None
    raised: Sequence[str]
    outages: OutagesPart | None
    replacements: Sequence[ReplacementPart]
    segments: SegmentsPart | None
    study: str | None
    rounds: Sequence[tuple[int, int]] | None
    observed: Observed | None
    repaired: RepairedPart | None
