"""Conditions in which finished runs differ beside their engines: the fields of ``run.json`` on how a run was made."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Manifest = Mapping[str, Any]

NO_CONDITIONS: Mapping[str, frozenset[str]] = {
    # The file of the same pictures may have another name.
    "source": frozenset({"uri", "sha256"}),
    # The source's part has the rest; gaps follow from the source and from run.skip_gaps.
    "streams": frozenset(
        [
            *("stream", "uri", "width", "height", "fps", "announced_fps", "live"),
            *("gaps", "loops_after", "scheduled", "delivered"),
        ]
    ),
    "model": frozenset({"path"}),
    # Results of the run; the video stream that was played is one of the fields of streams.
    "run": frozenset({"video_stream", "percentiles", "warmup_ms", "study", "rounds", "started", "duration_s"}),
    # Other processes change from second to second.
    "machine": frozenset({"load"}),
    "load": frozenset({"took", "lost"}),
    "faults": frozenset({"began_frame", "began_ms", "befallen"}),
    "pieces": frozenset({"cuts", "videos_begin_s", "let_go"}),
    # All other fields count: they are compared when all runs are of the same engine.
    "engine": frozenset({"spec", "device_changes", "read_ms", "compile_ms", "first_inference_ms"}),
}
"""Fields of a part of ``run.json`` that are no conditions, and why."""
WHO_DECLARED = "told_by"
"""Where a preprocessing was declared, which is no condition."""
MAY_BE_ABSENT = ("load", "faults", "pieces", "versions")
"""Parts that a run without such a thing does not have."""
IN_OLDER_RUNS: Mapping[str, str] = {"streams.video_stream": "0", "run.skip_gaps": "False"}
"""The values in runs made before these fields were recorded."""
CONTENT = ("source.content", "streams.video_stream")
"""The conditions that are equal for runs of the same pictures."""
NONE = "none"


def differences(manifests: Sequence[Manifest]) -> dict[str, list[str]]:
    """The values of each condition that is not the same for all, by its name, as in ``run.fps``.

    A condition that an older streamer did not record is not known to differ. The engine's effective configuration
    counts when all runs are of the same engine.
    """
    one_engine = len({manifest["engine"]["spec"] for manifest in manifests}) == 1
    conditions = [_conditions_of(manifest, engine=one_engine) for manifest in manifests]
    found = {}
    for name in dict.fromkeys(name for one in conditions for name in one):
        values = [_value(manifest, one, name) for manifest, one in zip(manifests, conditions, strict=True)]
        distinct = [value for value in dict.fromkeys(values) if value]
        if len(distinct) > 1:
            found[name] = distinct
    return found


def same_pictures(manifests: Sequence[Manifest]) -> bool:
    """Whether the runs were of the same pictures, as far as they record it; no two runs of live sources are."""
    conditions = [_conditions_of(manifest, engine=False) for manifest in manifests]
    contents = {tuple(one.get(name, IN_OLDER_RUNS.get(name)) for name in CONTENT) for one in conditions}
    return len(contents) == 1 and not any(manifest["source"]["live"] for manifest in manifests)


def _value(manifest: Manifest, conditions: Mapping[str, str], name: str) -> str:
    """A condition as text, empty where it was not recorded."""
    if name in conditions:
        return conditions[name]
    part, *within = name.split(".")[:-1] or [name]
    # A table such as config_in_force was recorded as a whole: a key that it lacks is none.
    table = name.rpartition(".")[0] + "."
    in_table = bool(within) and any(one.startswith(table) for one in conditions)
    there = part in manifest if part in MAY_BE_ABSENT else in_table
    return NONE if there else IN_OLDER_RUNS.get(name, "")


def _conditions_of(manifest: Manifest, *, engine: bool) -> dict[str, str]:
    return dict(_conditions(manifest, engine=engine))


def _conditions(manifest: Manifest, *, engine: bool) -> Iterator[tuple[str, str]]:
    source = manifest["source"]
    yield "source.content", source["sha256"] or source["uri"]
    yield "streamer", manifest["streamer"]
    yield "verdict", manifest["verdict"]
    yield "frames.scheduled", str(manifest["frames"]["scheduled"])
    for name in ("source", "streams", "model", "run", "load", "pieces", "machine", *(("engine",) if engine else ())):
        part = manifest.get(name) or {}
        yield from _fields(name, part[0] if isinstance(part, list) else part)
    # Runs made before 0.1.0 was complete have them under "machine", if at all.
    for package, version in manifest.get("versions", {}).items():
        yield f"versions.{package}", version
    if faults := manifest.get("faults"):
        requested = [{key: fault[key] for key in sorted(fault.keys() - NO_CONDITIONS["faults"])} for fault in faults]
        yield "faults.asked", json.dumps(requested)


def _fields(name: str, part: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for field, value in part.items():
        if field in NO_CONDITIONS[name]:
            continue
        if isinstance(value, Mapping):
            yield from ((f"{name}.{field}.{key}", str(one)) for key, one in value.items() if key != WHO_DECLARED)
        else:
            yield f"{name}.{field}", NONE if value is None else str(value)
