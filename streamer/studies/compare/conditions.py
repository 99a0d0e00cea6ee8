"""In what finished runs differ beside their engines: every field of ``run.json`` that says how a run was made."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Manifest = Mapping[str, Any]

NO_CONDITIONS: Mapping[str, frozenset[str]] = {
    # Of the same pictures it does not matter what their file is called.
    "source": frozenset({"uri", "sha256"}),
    # The source says the rest; gaps follow from it and from run.skip_gaps.
    "streams": frozenset(
        [
            *("stream", "uri", "width", "height", "fps", "announced_fps", "live"),
            *("gaps", "loops_after", "scheduled", "delivered"),
        ]
    ),
    "model": frozenset({"path"}),
    # What came of the run; which video stream was played is of the streams.
    "run": frozenset({"video_stream", "percentiles", "warmup_ms", "study", "rounds", "started", "duration_s"}),
    # What runs beside it is another from second to second.
    "machine": frozenset({"load"}),
    "load": frozenset({"took", "lost"}),
    "faults": frozenset({"began_frame", "began_ms", "befallen"}),
    "pieces": frozenset({"cuts", "videos_begin_s", "let_go"}),
    # Of the same engine all that is in force is a condition.
    "engine": frozenset({"spec", "device_changes", "read_ms", "compile_ms", "first_inference_ms"}),
}
"""Fields of a part of ``run.json`` that are none, and why."""
WHO_DECLARED = "told_by"
"""Of a preprocessing it does not matter what told it."""
MAY_BE_ABSENT = ("load", "faults", "pieces", "versions")
"""Parts in which nothing stands for none."""
IN_OLDER_RUNS: Mapping[str, str] = {"streams.video_stream": "0", "run.skip_gaps": "False"}
"""What was so before it was recorded."""
CONTENT = ("source.content", "streams.video_stream")
"""What runs of the same pictures have in common."""
NONE = "none"


def differences(manifests: Sequence[Manifest]) -> dict[str, list[str]]:
    """What each condition is that is not the same for all, by its name, as in ``run.fps``.

    What an older streamer did not record is not known to differ. What is in force in the engine counts where all
    runs are of the same one.
    """
    one_engine = len({manifest["engine"]["spec"] for manifest in manifests}) == 1
    told = [_told(manifest, engine=one_engine) for manifest in manifests]
    found = {}
    for name in dict.fromkeys(name for one in told for name in one):
        values = [_value(manifest, one, name) for manifest, one in zip(manifests, told, strict=True)]
        distinct = [value for value in dict.fromkeys(values) if value]
        if len(distinct) > 1:
            found[name] = distinct
    return found


def same_pictures(manifests: Sequence[Manifest]) -> bool:
    """The runs were of the same pictures, as far as they tell; no two runs of live sources are."""
    told = [_told(manifest, engine=False) for manifest in manifests]
    contents = {tuple(one.get(name, IN_OLDER_RUNS.get(name)) for name in CONTENT) for one in told}
    return len(contents) == 1 and not any(manifest["source"]["live"] for manifest in manifests)


def _value(manifest: Manifest, told: Mapping[str, str], name: str) -> str:
    """A condition as text, empty where it was not recorded."""
    if name in told:
        return told[name]
    part, *within = name.split(".")[:-1] or [name]
    # Of what is a table of its own, such as config_in_force, the rest was recorded.
    table = name.rpartition(".")[0] + "."
    in_table = bool(within) and any(one.startswith(table) for one in told)
    there = part in manifest if part in MAY_BE_ABSENT else in_table
    return NONE if there else IN_OLDER_RUNS.get(name, "")


def _told(manifest: Manifest, *, engine: bool) -> dict[str, str]:
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
        asked = [{key: fault[key] for key in sorted(fault.keys() - NO_CONDITIONS["faults"])} for fault in faults]
        yield "faults.asked", json.dumps(asked)


def _fields(name: str, part: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for field, value in part.items():
        if field in NO_CONDITIONS[name]:
            continue
        if isinstance(value, Mapping):
            yield from ((f"{name}.{field}.{key}", str(one)) for key, one in value.items() if key != WHO_DECLARED)
        else:
            yield f"{name}.{field}", NONE if value is None else str(value)
