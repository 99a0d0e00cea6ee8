"""Comparing runs that are finished already, with what pairing they allow."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from streamer.engines.variants import EngineSpec
from streamer.errors import UsageError
from streamer.ledger.record import Outcome
from streamer.rundir.detections_csv import read_detections
from streamer.rundir.frames_csv import read_frames
from streamer.rundir.paths import DETECTIONS, FRAMES, MANIFEST
from streamer.studies.compare.accuracy import Judged
from streamer.studies.compare.document import Circumstances, document_of, run_part
from streamer.studies.compare.rows import Entry, Pairing, Table
from streamer.studies.interleave import frames_in_a_round
from streamer.studies.offline_detector import agreement_of
from streamer.studies.run_figures import read_manifest

TOLD = (
    *(("model", "sha256"), ("machine", "cpu"), ("machine", "usable_cores"), ("run", "fps"), ("run", "schedule")),
    *(("run", "arrivals"), ("run", "policy"), ("run", "queue"), ("run", "video"), ("run", "confidence")),
    *(("run", "iou"), ("run", "fit"), ("run", "skip_gaps"), ("streams", "video_stream")),
)
"""What ought to be the same for a comparison to be one of engines."""
IN_OLDER_RUNS: Mapping[tuple[str, str], Any] = {("streams", "video_stream"): 0, ("run", "skip_gaps"): False}
"""What was so before it was recorded."""
INPUT = (("source", "sha256"), ("source", "uri"), ("streams", "video_stream"))
"""What runs of the same frames have in common."""
NOT_INTERLEAVED = (
    "the runs were not interleaved: what changed on the machine between them counts as a difference, "
    "and only a large one can be told"
)


def is_run(path: str) -> bool:
    """It is a run directory."""
    return (Path(path) / MANIFEST).is_file()


def compare_finished(directories: Sequence[Path], baseline: EngineSpec | None, out: Path) -> dict[str, Any]:
    """The document of a comparison of finished runs; nothing is run.

    Runs that took turns in one study are paired round by round; of others each is drawn by itself, because what
    varies over minutes is not the same for both. Raises UsageError for a baseline that is none of them, and SinkError
    for a directory that cannot be read.
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
    live = any(manifest["source"]["live"] for manifest in manifests)
    same_frames = not live and all(_same(manifests, path) for path in INPUT)
    took_turns = chosen["run"]["study"] is not None and _same(manifests, ("run", "study"))
    entries = [
        Entry(name, directory, file=f"{manifest['engine']['variant']} of {manifest['model']['sha256']}")
        for name, directory, manifest in zip(names, directories, manifests, strict=True)
    ]
    if same_frames:
        found = [_detected(directory) for directory in directories]
        entries = [
            entry if place == first else replace(entry, judged=Judged(agreement_of(found[first], found[place])))
            for place, entry in enumerate(entries)
        ]
    block = frames_in_a_round(Fraction(chosen["source" if chosen["run"]["closed_loop"] else "run"]["fps"]))
    starts = [round_["frame"] for round_ in chosen["run"]["rounds"]] if took_turns else None
    table = Table(entries, names[first], pairing=Pairing(block, starts), frames=None, beside=out)
    return document_of(
        table,
        Circumstances(
            source=chosen["source"],
            model=chosen["model"],
            machine=chosen["machine"],
            # Runs made before 0.1.0 was complete have them under "machine", if at all.
            versions=chosen.get("versions", chosen["machine"].get("versions", {})),
            run=run_part(chosen, chosen["frames"]["scheduled"], len(starts or ()), block, interrupted=False),
            reference=names[first] if same_frames else None,
            truth=None,
            notes=[],
            doubts=[*([] if took_turns else [NOT_INTERLEAVED]), *_differences(manifests)],
        ),
    )


def _names(directories: Sequence[Path], manifests: Sequence[Mapping[str, Any]]) -> list[str]:
    """The SPECs; with the directory where one comes twice."""
    specs = [manifest["engine"]["spec"] for manifest in manifests]
    counted = Counter(specs)
    return [
        spec if counted[spec] == 1 else f"{spec} ({directory.name})"
        for spec, directory in zip(specs, directories, strict=True)
    ]


def _same(manifests: Sequence[Mapping[str, Any]], path: tuple[str, str]) -> bool:
    return len({json.dumps(_part(manifest, path)) for manifest in manifests}) == 1


def _part(manifest: Mapping[str, Any], path: tuple[str, str]) -> Any:
    """A field of the manifest; under ``streams`` that of the only one."""
    part, name = path
    group = manifest.get(part, {})
    found = (group[0] if isinstance(group, list) else group).get(name)
    return IN_OLDER_RUNS.get(path) if found is None else found


def _differences(manifests: Sequence[Mapping[str, Any]]) -> list[str]:
    return [
        f"the runs differ in more than the engine: {part}.{name} is "
        + ", ".join(dict.fromkeys(str(_part(manifest, (part, name))) for manifest in manifests))
        for part, name in TOLD
        if not _same(manifests, (part, name))
    ]


def _detected(directory: Path) -> dict[int, Any]:
    """What was found in each delivered frame, also where that was nothing."""
    found = read_detections(directory / DETECTIONS)
    delivered = [record.frame for record in read_frames(directory / FRAMES) if record.outcome is Outcome.DELIVERED]
    return {frame: found[frame] for frame in delivered}
