"""Mending what a killed run has left: its rows are completed, and its ``run.json`` is written from them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from streamer.charts.latency import draw_latency
from streamer.errors import SinkError, UsageError
from streamer.ledger.ledger import Ledger, Watchers
from streamer.ledger.outages import gaps_in
from streamer.ledger.record import FrameRecord, Outcome
from streamer.repair.csv_files import Mended, append_rows, mend_tables
from streamer.repair.missing_frames import Due, rounds_of, unaccounted
from streamer.repair.segments_found import pieces_found, tidy
from streamer.run import doubts
from streamer.run.answer import plain_answer
from streamer.run.manifest import windows_part
from streamer.rundir.paths import BEGUN, HDR_LOG, MANIFEST, MANIFEST_RESERVE, RESERVE
from streamer.rundir.rundir import clear, under_way, write_manifest
from streamer.schedule.schedule import Limits, Pace, Schedule
from streamer.stats.hdr_log import write_hdr_log
from streamer.stats.percentiles import parse_percentile
from streamer.stats.slo import check, parse_slo
from streamer.stats.steadiness import Windows
from streamer.stats.summary import Tally, counts, omission_gap, statistics


def repair(path: Path) -> dict[str, Any] | None:
    """Completes the directory of a run that was killed, and returns its manifest; None when it has one already.

    Frames whose end is not known become rows, ``abandoned``; a torn line is cut off, and so are detections of frames
    that have no row of their own. All rows are held in memory, half a kilobyte each.

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
    if begun.get("pieces") is not None:
        tidy(path)
    try:
        for name in (RESERVE, MANIFEST_RESERVE):
            (path / name).unlink(missing_ok=True)
        document = write_manifest(path, _mend(path, begun))
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


def _mend(path: Path, begun: dict[str, Any]) -> dict[str, Any]:
    """Completes the tables, and returns the manifest. Raises OSError and SinkError."""
    records, torn, removed = mend_tables(path)
    end_us = max((_last_stamp(record) for record in records), default=0)
    added = []
    if records:  # else nobody knows whether it had come to the first frame
        for number in range(len(begun["streams"])):
            added += unaccounted(number, records, _due(begun, number), end_us)
    for record in added:
        record.outcome = Outcome.ABANDONED
    append_rows(path, added)
    mended = Mended(len(records), len(added), torn, removed)
    return _manifest(path, begun, [*records, *added], end_us, mended)


def _last_stamp(record: FrameRecord) -> int:
    stamps = (record.written, record.sink_start, record.detected, record.infer_end, record.infer_start)
    return max(us for us in (*stamps, record.preprocess_start, record.captured, record.scheduled) if us is not None)


def _schedule(begun: dict[str, Any], number: int) -> Schedule | None:
    """The schedule of a stream; None where something else decides when frames are due."""
    run, stream = begun["run"], begun["streams"][number]
    if run["closed_loop"] or run["arrivals"] is not None or stream["live"]:
        return None
    pace: Pace = "source" if run["schedule"] == "source" else Fraction(run["fps"])
    return Schedule(pace, Fraction(stream["fps"]), phase_us=round(stream["phase_ms"] * 1000))


def _due(begun: dict[str, Any], number: int) -> Due:
    asked = begun["asked"]
    duration_s = asked["duration_s"]
    return Due(
        _schedule(begun, number),
        Fraction(1_000_000) / Fraction(begun["streams"][number]["fps"]),
        begun["run"]["study"] is not None,
        Limits(asked["frames"], None if duration_s is None else round(duration_s * 1e6)),
        asked["promised"][number],
    )


def _manifest(
    path: Path, begun: dict[str, Any], records: Sequence[FrameRecord], end_us: int, mended: Mended
) -> dict[str, Any]:
    run = begun["run"]
    rates = [Fraction(stream["fps"]) for stream in begun["streams"]]
    ticks_us = [
        Fraction(1_000_000) / rate if stream["live"] else None
        for rate, stream in zip(rates, begun["streams"], strict=True)
    ]
    tally = Tally(closed_loop=run["closed_loop"], ticks_us=ticks_us)
    windows = Windows()
    deadline_ms = run["deadline_ms"]
    ledger = Ledger(
        None if deadline_ms is None else round(deadline_ms * 1000), Watchers(tally, windows), lambda _: None
    )
    for record in sorted(records, key=lambda record: record.scheduled):
        ledger.open(record)
    for record in sorted((r for r in records if r.detected is not None), key=lambda record: record.detected or 0):
        ledger.detected(record)
    for record in records:
        assert record.outcome is not None
        ledger.close(record, record.outcome, record.reason)
    tally.finish(end_us)
    whole = tally.whole()
    figures = {name: statistics(values) for name, values in whole.items()}
    exact = all(values.exact for values in whole.values())
    if not exact:
        write_hdr_log(path / HDR_LOG, whole, end_us / 1e6)
    frames = counts(ledger)
    checks = check(() if run["slo"] is None else parse_slo(run["slo"]), figures, frames)
    length_s, steady = windows.last()
    schedule = _schedule(begun, 0)
    in_rounds = run["study"] is not None and schedule is not None
    paced = (
        [] if run["closed_loop"] else rates if run["schedule"] == "source" else [Fraction(run["fps"])] * len(rates)
    )
    error = _error(records, begun["asked"]["respawn"])
    gaps = gaps_in(records, len(rates), end_us) if any(stream["live"] for stream in begun["streams"]) else None
    document = {
        **begun,
        "verdict": "INTERRUPTED" if error is None else "FAILED",
        "answer": plain_answer(frames, figures, rates=paced, duration_s=end_us / 1e6),
        "error": error,
        "doubts": [
            _said(mended, end_us),
            *begun["doubts"],
            *doubts.of_gaps(gaps),
            *doubts.of_the_figures(figures, None if run["until"] is None else parse_percentile(run["until"])),
            *doubts.of_steadiness(length_s, steady),
        ],
        "slo": None if not checks else "met" if all(one.met for one in checks) else "missed",
        "slo_checks": [one.as_dict() for one in checks],
        "streams": [
            {
                **stream,
                "scheduled": sum(ledger.of_streams[number, outcome] for outcome in Outcome),
                "delivered": ledger.of_streams[number, Outcome.DELIVERED],
            }
            for number, stream in enumerate(begun["streams"])
        ],
        "run": {
            **run,
            "percentiles": "exact" if exact else "histogram",
            # Its rounds may not be those of the others any more.
            "study": None,
            "rounds": [{"frame": frame, "start_ms": us / 1000} for frame, us in rounds_of(records, schedule)]
            if in_rounds and schedule is not None
            else None,
            "duration_s": end_us / 1_000_000,
        },
        "frames": frames,
        **{f"{name}_ms": figure.as_dict() for name, figure in figures.items()},
        "omission_gap": omission_gap(figures),
        "priming": None,
        "gaps": gaps,
        "replacements": _replacements(records, begun["asked"]["respawn"]),
        "windows": windows_part(length_s, steady),
        "pieces": None if begun["pieces"] is None else pieces_found(path, begun["pieces"], len(begun["streams"])),
        "repaired": mended.as_dict(),
        "resources": dict.fromkeys(begun["resources"]),
    }
    del document["asked"]
    return document


def _said(mended: Mended, end_us: int) -> str:
    return (
        f"the run was killed at {end_us / 1e6:.3f} s or later, and run.json was made from {mended.rows} rows by "
        "'streamer verify --repair': what the machine did meanwhile is not known, nor the end of "
        f"{mended.abandoned} frames, which count as abandoned"
    )


def _failed(records: Sequence[FrameRecord], outcome: Outcome) -> list[FrameRecord]:
    return [record for record in records if record.outcome is outcome]


def _error(records: Sequence[FrameRecord], respawn: int) -> str | None:
    """What ended the run before it was killed, if anything did: an engine that was not replaced, or the sink."""
    failed = [*_failed(records, Outcome.ENGINE_ERROR)[respawn:], *_failed(records, Outcome.SINK_ERROR)]
    if not failed:
        return None
    first = failed[0]
    return f"{first.outcome} at frame {first.frame} of stream {first.stream}; the run was killed before it said why"


def _replacements(records: Sequence[FrameRecord], respawn: int) -> list[dict[str, Any]]:
    return [
        {"why": "not known: the run was killed", "at_ms": _last_stamp(record) / 1000, "back_ms": None}
        for record in _failed(records, Outcome.ENGINE_ERROR)[:respawn]
    ]
