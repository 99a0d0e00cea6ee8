"""Comparing finished runs: paired by rounds where they took turns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from streamer.engines.variants import EngineSpec
from streamer.errors import SinkError, UsageError
from streamer.ledger.record import Outcome
from streamer.rundir.detections_csv import read_all_detections
from streamer.rundir.frames_csv import read_ledger
from streamer.rundir.paths import MANIFEST
from streamer.studies.compare.accuracy import Scored
from streamer.studies.compare.conditions import CONTENT, differences, same_pictures
from streamer.studies.compare.document import Circumstances, ComparisonDocument, document_of, run_part
from streamer.studies.compare.rows import Entry, Table
from streamer.studies.interleave import frames_in_a_round
from streamer.studies.offline_detector import agreement_of
from streamer.studies.run_figures import read_manifest

NOT_INTERLEAVED = (
    "the runs were not interleaved: what changed on the machine between them counts as a difference, "
    "and only a large one can be found"
)


def is_run(path: str) -> bool:
    """Whether it is the directory of a finished run."""
    return (Path(path) / MANIFEST).is_file()


def compare_finished(directories: Sequence[Path], baseline: EngineSpec | None, out: Path) -> ComparisonDocument:
    """The document of a comparison of finished runs; nothing is run.

    Runs that took turns in one study are paired round by round. Others are resampled one by one, because what varies
    over minutes is not the same for both. Raises UsageError for a baseline that is none of the runs and for a run of
    several streams, and SinkError for a directory that cannot be read.
    """
    manifests = [read_manifest(directory) for directory in directories]
    for directory, manifest in zip(directories, manifests, strict=True):
        if len(manifest.get("streams", [])) > 1:
            raise UsageError(f"{directory} has {len(manifest['streams'])} streams: compare runs of one stream each")
    names = _names(directories, manifests)
    first = 0
    if baseline is not None:
        specs = [manifest["engine"]["spec"] for manifest in manifests]
        if baseline.spec not in specs:
            raise UsageError(f"--baseline {baseline.spec}: the runs are of {', '.join(dict.fromkeys(specs))}")
        first = specs.index(baseline.spec)
    chosen = manifests[first]
    same_frames = same_pictures(manifests)
    rounds = _rounds(manifests)
    entries = [
        _entry(name, directory, manifest, rounds)
        for name, directory, manifest in zip(names, directories, manifests, strict=True)
    ]
    if same_frames:
        found = [_detected(directory) for directory in directories]
        entries = [
            entry if place == first else replace(entry, scored=Scored(agreement_of(found[first], found[place])))
            for place, entry in enumerate(entries)
        ]
    differing = differences(manifests)
    return document_of(
        Table(entries, names[first], beside=out),
        Circumstances(
            source=chosen["source"],
            model=chosen["model"],
            machine=chosen["machine"],
            # Runs made before 0.1.0 was complete have them under "machine", if at all.
            versions=chosen.get("versions", chosen["machine"].get("versions", {})),
            run=run_part(
                chosen,
                chosen["frames"]["scheduled"],
                0 if rounds is None else rounds.common,
                _block(chosen),
                interrupted=False,
            ),
            reference=names[first] if same_frames else None,
            truth=None,
            notes=[],
            doubts=[
                *([NOT_INTERLEAVED] if rounds is None else []),
                *_difference_doubts(differing, manifests),
                *_deletion_doubts(names, manifests),
            ],
            differing=list(differing),
        ),
    )


@dataclass(frozen=True, slots=True)
class _Rounds:
    """The rounds of runs that took turns. ``common`` of them were done by all: fewer where a run was interrupted."""

    common: int

    def starts(self, manifest: Mapping[str, Any]) -> list[int]:
        """The frames with which a run's rounds begin, which depend on its rate."""
        return [round_["frame"] for round_ in manifest["run"]["rounds"][: self.common]]

    def frames(self, manifest: Mapping[str, Any]) -> int | None:
        """The number of a run's frames in the common rounds; None when all are."""
        further = manifest["run"]["rounds"][self.common :]
        return further[0]["frame"] if further else None


def _entry(name: str, directory: Path, manifest: Mapping[str, Any], rounds: _Rounds | None) -> Entry:
    return Entry(
        name,
        directory,
        file=f"{manifest['engine']['variant']} of {manifest['model']['sha256']}",
        block=_block(manifest),
        starts=None if rounds is None else rounds.starts(manifest),
        frames=None if rounds is None else rounds.frames(manifest),
    )


def _rounds(manifests: Sequence[Mapping[str, Any]]) -> _Rounds | None:
    """The rounds in which the runs took turns; None when they did not."""
    study = manifests[0]["run"]["study"]
    if study is None or any(manifest["run"]["study"] != study for manifest in manifests):
        return None
    return _Rounds(min(len(manifest["run"]["rounds"]) for manifest in manifests))


def _block(manifest: Mapping[str, Any]) -> int:
    """The number of frames in about a second of the run."""
    return frames_in_a_round(Fraction(manifest["source" if manifest["run"]["closed_loop"] else "run"]["fps"]))


def _names(directories: Sequence[Path], manifests: Sequence[Mapping[str, Any]]) -> list[str]:
    """The SPECs, with the directory for a SPEC that comes twice."""
    specs = [manifest["engine"]["spec"] for manifest in manifests]
    counted = Counter(specs)
    return [
        spec if counted[spec] == 1 else f"{spec} ({directory.name})"
        for spec, directory in zip(specs, directories, strict=True)
    ]


def _difference_doubts(
    differing: Mapping[str, Sequence[str]], manifests: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    """A doubt for each condition that is not the same for all, and for live sources, which never are."""
    if any(manifest["source"]["live"] for manifest in manifests):
        yield "the runs are not of the same pictures: a live source never shows the same again"
    for name, values in differing.items():
        if name == CONTENT[0]:
            uris = ", ".join(f"{manifest['source']['uri']}{_hash(manifest)}" for manifest in manifests)
            yield f"the runs are not of the same pictures: {name} differs, of {uris}"
        else:
            yield f"the runs differ in more than the engine: {name} is {', '.join(values)}"


def _hash(manifest: Mapping[str, Any]) -> str:
    sha256 = manifest["source"]["sha256"]
    return f" (SHA-256 {sha256[:12]})" if sha256 else ""


def _deletion_doubts(names: Sequence[str], manifests: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """A doubt for each long run whose oldest segments have been deleted."""
    for name, manifest in zip(names, manifests, strict=True):
        segments = manifest.get("pieces") or {"let_go": [], "cuts": []}
        deleted = {one for one in segments["let_go"] if one.startswith("frames.")}
        frames = sum(cut["frames"] for cut in segments["cuts"] if f"frames.{cut['piece']:04d}.csv" in deleted)
        if deleted:
            yield (
                f"the first {frames:,} of {manifest['frames']['scheduled']:,} frames of {name} do not count: "
                "their segments were deleted (--keep)"
            )


def _detected(directory: Path) -> dict[int, Any]:
    """The detections of each delivered frame, also of frames in which nothing was found. Raises SinkError."""
    try:
        found = read_all_detections(directory)
        delivered = [record.frame for record in read_ledger(directory) if record.outcome is Outcome.DELIVERED]
    except (OSError, EOFError, ValueError, LookupError) as error:
        raise SinkError(f"{directory} cannot be read: {error}") from error
    return {frame: found[frame] for frame in delivered}
