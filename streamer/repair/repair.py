"""Repair of a killed run: completes its rows, and writes its ``run.json`` from them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

from streamer.charts.latency import draw_latency
from streamer.errors import SinkError, UsageError
from streamer.faults.trigger import FaultPart
from streamer.ledger.ledger import Ledger, Watchers
from streamer.ledger.outages import outages_in
from streamer.ledger.record import FrameRecord, Outcome
from streamer.repair.csv_files import append_rows, mend_tables
from streamer.repair.missing_frames import Due, rounds_of, unaccounted
from streamer.repair.segments_found import segments_found, tidy
from streamer.run.facts import Facts, Totals, totals
from streamer.run.manifest import Manifest, summary
from streamer.run.measured_parts import RepairedPart, ReplacementPart
from streamer.run.setup import Setup
from streamer.run.setup_parts import file_gaps
from streamer.rundir.paths import BEGUN, CHART_FILE, HDR_LOG, MANIFEST, MANIFEST_RESERVE, RESERVE
from streamer.rundir.rundir import clear, under_way, write_manifest
from streamer.rundir.written import is_own_chart, written_in
from streamer.schedule.schedule import Limits, Pace, Schedule
from streamer.stats.backlog import Backlog
from streamer.stats.hdr_log import write_hdr_log
from streamer.stats.steadiness import Windows
from streamer.stats.summary import Tally


def repair(path: Path) -> Manifest | None:
    """Completes the directory of a run that was killed, and returns its manifest; None when it has one already.

    Frames without a known end get rows, ``abandoned``. An incomplete line is removed, and so are detections of frames
    without a row or a ``sink_start``. All rows are in memory, half a kilobyte each.

    Raises UsageError when the run is still going on or nothing is known of it, and SinkError when its files cannot
    be read or written.
    """
    if under_way(path):
        raise UsageError(f"{path}: the run is still going on; end it first, as with Ctrl-C")
    if not path.is_dir():
        return None
    if (path / MANIFEST).is_file():
        clear(path)
        return None
    begun = _read_begun(path)
    if (path / CHART_FILE).exists() and not is_own_chart(path / CHART_FILE) and begun.get("pieces") is None:
        raise UsageError(f"{path}: {CHART_FILE} there is not of the run, and would be drawn over; move it")
    if begun.get("pieces") is not None:
        tidy(path)
    try:
        for name in {RESERVE, MANIFEST_RESERVE} & written_in(path):
            (path / name).unlink(missing_ok=True)
        document = cast(Manifest, write_manifest(path, summary(_mend(path, begun))))
    except OSError as error:
        raise SinkError(f"cannot repair {path}: {error.strerror}: {error.filename}") from error
    except (LookupError, TypeError, ValueError) as error:
        raise SinkError(f"{path / BEGUN} cannot be understood ({error!r}): another streamer wrote it?") from error
    if begun["pieces"] is None:
        draw_latency(path, document)
    return document


def _read_begun(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((path / BEGUN).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(
            f"{path} has neither {MANIFEST} nor {BEGUN}: nothing is known of a run in it; give another directory"
        ) from None
    except (OSError, ValueError) as error:
        raise SinkError(f"{path / BEGUN} cannot be read: {error}") from error
    return found


def _mend(path: Path, begun: Mapping[str, Any]) -> Facts:
    """Completes the tables, and returns the facts of the run. Raises OSError and SinkError."""
    records, torn, removed = mend_tables(path)
    end_us = max((record.last for record in records), default=0)
    added = []
    if records:  # else it is not known whether it had reached the first frame
        for number in range(len(begun["streams"])):
            added += unaccounted(number, records, _due(begun, number), end_us)
    for record in added:
        record.outcome = Outcome.ABANDONED
    append_rows(path, added)
    repaired = RepairedPart(rows=len(records), abandoned=len(added), torn_lines=torn, detections_removed=removed)
    return _facts(path, begun, [*records, *added], end_us, repaired)


def _schedule(begun: Mapping[str, Any], number: int) -> Schedule | None:
    """The schedule of a stream; None when something else decides when frames are due."""
    run, stream = begun["run"], begun["streams"][number]
    if run["closed_loop"] or run["arrivals"] is not None or stream["live"]:
        return None
    pace: Pace = "source" if run["schedule"] == "source" else Fraction(run["fps"])
    phase_us = round(stream["phase_ms"] * 1000)
    return Schedule(pace, Fraction(stream["fps"]), phase_us=phase_us, gaps=file_gaps(stream))


def _due(begun: Mapping[str, Any], number: int) -> Due:
    requested = begun["asked"]
    duration_s = requested["duration_s"]
    return Due(
        _schedule(begun, number),
        Fraction(1_000_000) / Fraction(begun["streams"][number]["fps"]),
        begun["run"]["study"] is not None,
        Limits(requested["frames"], None if duration_s is None else round(duration_s * 1e6)),
        requested["promised"][number],
        file_gaps(begun["streams"][number]),
    )


def _faults_unknown(parts: list[FaultPart] | None) -> list[FaultPart] | None:
    """The faults of the plan; the rows do not tell which of them were injected."""
    return (
        None
        if parts is None
        else [{**part, "began_frame": None, "began_ms": None, "befallen": None} for part in parts]
    )


def _facts(
    path: Path, begun: Mapping[str, Any], records: Sequence[FrameRecord], end_us: int, repaired: RepairedPart
) -> Facts:
    """The facts of the run from its rows, and from what it wrote before its first frame."""
    streams, respawn = begun["streams"], begun["asked"]["respawn"]
    schedule = _schedule(begun, 0)
    in_rounds = begun["run"]["study"] is not None
    rounds = rounds_of(records, schedule) if in_rounds and schedule is not None else None
    counted = _count(path, begun, records, end_us, Backlog(rounds or ()))
    return Facts(
        setup=cast(Setup, {**begun, "faults": _faults_unknown(begun["faults"])}),
        totals=counted,
        duration_us=end_us,
        error=_error(records, respawn),
        stopped_by="a kill",
        raised=begun["doubts"],
        outages=outages_in(records, len(streams), end_us) if any(stream["live"] for stream in streams) else None,
        replacements=_replacements(records, respawn),
        segments=None if begun["pieces"] is None else segments_found(path, begun["pieces"], len(streams)),
        # Its rounds may not be those of the others any more.
        study=None,
        rounds=rounds,
        observed=None,
        repaired=repaired,
    )


def _count(
    path: Path, begun: Mapping[str, Any], records: Sequence[FrameRecord], end_us: int, backlog: Backlog
) -> Totals:
    """The totals of the rows; also writes histograms when there are too many values to keep exactly."""
    run = begun["run"]
    ticks_us = [
        Fraction(1_000_000) / Fraction(stream["fps"]) if stream["live"] else None for stream in begun["streams"]
    ]
    tally, windows = Tally(closed_loop=run["closed_loop"], ticks_us=ticks_us), Windows()
    deadline_us = None if run["deadline_ms"] is None else round(run["deadline_ms"] * 1000)
    ledger = Ledger(deadline_us, Watchers(tally, windows, backlog), lambda _: None)
    for record in sorted(records, key=lambda record: record.scheduled):
        ledger.open(record)
    for record in sorted((r for r in records if r.detected is not None), key=lambda record: record.detected or 0):
        ledger.detected(record)
    for record in records:
        assert record.outcome is not None
        ledger.close(record, record.outcome, record.reason)
    tally.finish(end_us)
    counted = totals(ledger, tally, windows, backlog)
    if not counted.exact:
        write_hdr_log(path / HDR_LOG, tally.whole(), end_us / 1e6)
    return counted


def _failed(records: Sequence[FrameRecord], outcome: Outcome) -> list[FrameRecord]:
    return [record for record in records if record.outcome is outcome]


def _error(records: Sequence[FrameRecord], respawn: int) -> str | None:
    """The error that ended the run before the kill, of an engine not replaced or of the sink; None without one."""
    failed = [*_failed(records, Outcome.ENGINE_ERROR)[respawn:], *_failed(records, Outcome.SINK_ERROR)]
    if not failed:
        return None
    first = failed[0]
    return f"{first.outcome} at frame {first.frame} of stream {first.stream}; the run was killed before it wrote why"


def _replacements(records: Sequence[FrameRecord], respawn: int) -> list[ReplacementPart]:
    return [
        {"why": "not known: the run was killed", "at_ms": record.last / 1000, "back_ms": None}
        for record in _failed(records, Outcome.ENGINE_ERROR)[:respawn]
    ]
