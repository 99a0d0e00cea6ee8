"""A soak: a replay for hours, in windows, that goes on in another part after an interruption."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import msgspec

from streamer import __version__
from streamer.errors import SinkError, UsageError
from streamer.files.whole import making, write_whole
from streamer.run.measured_parts import FramesPart
from streamer.rundir.paths import BEGUN, MANIFEST
from streamer.rundir.rundir import check_out, discard, under_way
from streamer.rundir.written import is_own_chart, is_own_document, written_in
from streamer.settings.as_json import settings_as_json, settings_of
from streamer.settings.settings import Settings
from streamer.sources.registry import is_live
from streamer.studies.free_place import is_own_table, refuse_others
from streamer.studies.run_figures import read_manifest
from streamer.studies.soak.chart import CHART_FILE
from streamer.studies.soak.document import NAME, SCHEMA_VERSION, KilledPart, RunOfSoak, SoakDocument
from streamer.studies.soak.duration import lasted_as_requested
from streamer.studies.soak.losses import frames_of_killed
from streamer.studies.soak.request import REQUEST, as_kept, is_own_request, read_request
from streamer.studies.soak.soak_settings import SoakSettings
from streamer.studies.soak.verdicts import assess
from streamer.studies.soak.watch import SoakWatch
from streamer.studies.soak.windows_csv import (
    WINDOW_COLUMNS,
    WINDOWS,
    WindowRow,
    append_window,
    begin_windows,
    read_windows,
)

_NUMBERED = re.compile(r"part-(0|[1-9]\d*)", re.ASCII)


class Soak:
    """A soak of ``sources`` in the directory ``out``.

    ``rows`` are the windows of all parts so far, ``parts`` the parts' directories.
    """

    def __init__(self, sources: Sequence[str], settings: SoakSettings, out: Path) -> None:
        self.sources = list(sources)
        self.settings = settings
        self.out = out
        self.rows: list[WindowRow] = []
        self.parts: list[Path] = []
        self.begun = False

    def check(self) -> None:
        """Raises UsageError when the directory may not be used, or a soak is still being written there."""
        check_out(self.out, overwrite=self.settings.replay.overwrite)
        if any(map(under_way, parts_of(self.out))):
            raise UsageError(f"--out {self.out}: another soak is being written there; give another directory")
        refuse_others(self.out, files_that_are_ours(self.out))

    def begin(self) -> None:
        """Makes the directory, and deletes what another soak has left in it. Raises UsageError and SinkError."""
        self.check()
        for part in parts_of(self.out):
            discard(part)
        for name in (f"{NAME}.json", CHART_FILE):
            (self.out / name).unlink(missing_ok=True)
        request = {
            "sources": [as_kept(source) for source in self.sources],
            "window_s": self.settings.window_s,
            "canary_s": self.settings.canary_every_s,
            "replay": settings_as_json(self.settings.replay),
        }
        try:
            with making(self.out):
                write_whole(self.out / REQUEST, json.dumps(request, indent=2) + "\n")
        except OSError as error:
            raise SinkError(f"cannot write into {self.out}: {error.strerror}") from error
        begin_windows(self.out / WINDOWS)
        self.begun = True

    def _begin_once(self) -> None:
        if not self.begun:
            self.begin()

    @property
    def done_s(self) -> float:
        """The seconds that the parts so far have lasted; a part that was killed, up to its last whole window."""
        return sum(self._lasted(number, part) for number, part in enumerate(self.parts))

    def _lasted(self, number: int, part: Path) -> float:
        if (part / MANIFEST).is_file():
            return float(read_manifest(part)["run"]["duration_s"])
        return sum(row.end_s - row.start_s for row in self.rows if row.part == number)

    @property
    def _requested_s(self) -> float:
        return self.settings.replay.duration_s or 0

    @property
    def done(self) -> bool:
        """Whether nothing is left to run."""
        return lasted_as_requested(list(self._manifests().values()), self.done_s, self._requested_s)

    @property
    def assessed(self) -> bool:
        """Whether ``soak.json`` is written and, unless no chart was requested, a chart at least as new."""
        written, drawn = self.out / f"{NAME}.json", self.out / CHART_FILE
        if not self.settings.replay.chart:
            return written.is_file()
        there = written.is_file() and drawn.is_file()
        return there and drawn.stat().st_mtime_ns >= written.stat().st_mtime_ns

    def _manifests(self) -> dict[Path, dict[str, Any]]:
        """The ``run.json`` of each part that has one."""
        return {part: read_manifest(part) for part in self.parts if (part / MANIFEST).is_file()}

    def give_up(self) -> None:
        """Removes the part that could not begin; a soak without other parts leaves no trace.

        A part in which a run has written stays.
        """
        if any((self.parts[-1] / name).exists() for name in (BEGUN, MANIFEST)):
            return
        with suppress(OSError):
            self.parts[-1].rmdir()
        self.parts.pop()
        if self.parts or self.rows or not self.begun:
            return
        for name in (REQUEST, WINDOWS):
            (self.out / name).unlink(missing_ok=True)
        with suppress(OSError):
            self.out.rmdir()

    def part(self, report: Callable[[WindowRow], None]) -> tuple[Settings, SoakWatch]:
        """The settings of the next part, and its watch, which passes each window to ``report``."""
        directory = self.out / f"part-{len(self.parts)}"

        def add(row: WindowRow) -> None:
            append_window(self.out / WINDOWS, row)
            self.rows.append(row)
            report(row)

        watch = SoakWatch(
            window_s=self.settings.window_s,
            canary_every_s=self.settings.canary_every_s,
            part=len(self.parts),
            first=len(self.rows),
            start_s=self.done_s,
            report=add,
            begins=self._begin_once,
        )
        settings = replace(
            self.settings.replay,
            out=directory,
            duration_s=self._requested_s - self.done_s,
            overwrite=True,
            loop=not any(map(is_live, self.sources)),
        )
        self.parts.append(directory)
        return settings, watch

    def document(self) -> SoakDocument:
        """``soak.json``: the verdicts on all parts so far. Raises UsageError when no part has a ``run.json``."""
        found = self._manifests()
        manifests = list(found.values())
        if not manifests:
            raise UsageError(
                f"{self.out}: no run.json to assess; make one: streamer verify {self.parts[-1]} --repair"
            )
        assessed = assess(self.rows, [found.get(part) for part in self.parts], self._requested_s)
        last = manifests[-1]
        return {
            "schema_version": SCHEMA_VERSION,
            "streamer": __version__,
            "answer": assessed.answer,
            "verdict": assessed.verdict,
            "verdicts": [one.as_dict() for one in assessed.verdicts],
            "windows": len(self.rows),
            "window_s": self.settings.window_s,
            "canary_s": self.settings.canary_every_s,
            "asked_s": self._requested_s,
            "lasted_s": round(self.done_s, 3),
            "parts": [_part(part, found.get(part)) for part in self.parts],
            "frames": _sum([*(manifest["frames"] for manifest in manifests), *self._killed(found)]),
            "source": last["source"],
            "streams": last["streams"],
            "model": last["model"],
            "engine": last["engine"],
            "machine": last["machine"],
            "versions": last["versions"],
            "load": last.get("load"),
            "faults": last.get("faults"),
            "run": last["run"],
        }

    def _killed(self, manifests: Mapping[Path, Mapping[str, Any]]) -> list[dict[str, int]]:
        """The frames of parts that were killed, counted by their windows."""
        killed = [number for number, part in enumerate(self.parts) if part not in manifests]
        return [frames_of_killed([row for row in self.rows if row.part == number]) for number in killed]


def files_that_are_ours(out: Path) -> dict[str, bool]:
    """The names of a soak's files, and whether a soak has written the file that is there."""
    own_request = is_own_request(out / REQUEST)
    return {
        REQUEST: own_request,
        WINDOWS: own_request or is_own_table(out / WINDOWS, WINDOW_COLUMNS),
        f"{NAME}.json": is_own_document(out / f"{NAME}.json"),
        CHART_FILE: is_own_chart(out / CHART_FILE),
    }


def resumed(out: Path, sources: Sequence[str]) -> Soak:
    """The soak in ``out`` that was interrupted, with its own sources unless ``sources`` are given.

    Raises UsageError when there is none, it is done or still going on, ``sources`` are others, or the address of a
    source needs credentials, which are not kept.
    """
    try:
        request = read_request(out / REQUEST)
        settings = SoakSettings(settings_of(request.replay), request.window_s, request.canary_s)
        soak = Soak(sources or request.sources, settings, out)
    except FileNotFoundError as error:
        raise UsageError(f"--resume {out}: there is no soak in it; give the directory of one") from error
    except (OSError, ValueError, KeyError, TypeError, msgspec.ValidationError) as error:
        raise UsageError(f"--resume {out}: {REQUEST} cannot be understood ({error}); begin a new soak") from error
    if [as_kept(source) for source in soak.sources] != request.sources:
        raise UsageError(f"--resume {out}: it was of {' '.join(request.sources)}; give the same, or none")
    if any("***" in source for source in soak.sources):
        raise UsageError(f"--resume {out}: passwords are not kept; give SOURCE again as well, with its own")
    soak.rows = read_windows(out / WINDOWS)
    soak.parts, soak.begun = parts_of(out, {row.part for row in soak.rows}), True
    if any(map(under_way, soak.parts)):
        raise UsageError(f"--resume {out}: that soak is still going on; end it first")
    if soak.done and soak.assessed:
        raise UsageError(f"--resume {out}: that soak has lasted as long as it was to; begin another one")
    return soak


def parts_of(out: Path, with_rows: Collection[int] = ()) -> list[Path]:
    """The run directories of a soak's parts, in order: those that have rows, or in which a run has written."""
    found = {int(match[1]): part for part in out.glob("part-*") if (match := _NUMBERED.fullmatch(part.name))}
    return [found[number] for number in sorted(found) if number in with_rows or written_in(found[number])]


def _part(directory: Path, manifest: Mapping[str, Any] | None) -> RunOfSoak | KilledPart:
    if manifest is None:
        return {"directory": directory.name, "verdict": "KILLED"}
    run = manifest["run"]
    return {
        "directory": directory.name,
        "verdict": manifest["verdict"],
        "error": manifest["error"],
        "slo": manifest["slo"],
        "gaps": manifest["gaps"],
        "doubts": manifest["doubts"],
        "started": run["started"],
        "duration_s": run["duration_s"],
    }


def _sum(counts: Sequence[Mapping[str, int]]) -> FramesPart:
    return cast(FramesPart, {name: sum(count[name] for count in counts) for name in counts[0]})
