"""Simulated soaks: manifests of their windows, and the document that is made of both."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from streamer.studies.soak.losses import OUTCOMES
from streamer.studies.soak.study import resumed
from streamer.studies.soak.verdicts import assess
from streamer.studies.soak.windows_csv import WindowRow


def manifest_of(rows: Sequence[WindowRow], **changes: Any) -> dict[str, Any]:
    """The ``run.json`` of a part with these windows, with the fields that the assessment of a soak reads."""
    frames = {name: sum(getattr(row, name) for row in rows) for name in ("scheduled", *OUTCOMES, "late")}
    duration_s = rows[-1].end_s - rows[0].start_s if rows else 0.0
    usual = {"error": None, "repaired": None, **changes}
    return {
        "verdict": "VALID",
        "frames": frames,
        "slo_checks": [],
        "run": {"duration_s": duration_s, "fps": "30"},
        **usual,
    }


def document_of(rows: Sequence[WindowRow], **changes: Any) -> dict[str, Any]:
    """The ``soak.json`` of these windows, of parts that each have a whole ledger."""
    parts = sorted({row.part for row in rows})
    manifests = [manifest_of([row for row in rows if row.part == part]) for part in parts]
    assessed = assess(rows, manifests, sum(one["run"]["duration_s"] for one in manifests))
    return {
        "streamer": "0.1.0",
        "answer": assessed.answer,
        "verdict": assessed.verdict,
        "verdicts": [one.as_dict() for one in assessed.verdicts],
        "windows": len(rows),
        "window_s": 60.0,
        "parts": [{"directory": f"part-{part}"} for part in parts],
        "frames": {name: sum(one["frames"][name] for one in manifests) for name in manifests[0]["frames"]},
        "source": {"uri": "/videos/street.mp4"},
        "streams": [{"stream": 0}],
        "model": {"name": "street"},
        "engine": {"spec": "ir-auto-shared"},
        "machine": {"cpu": "AMD EPYC 9V74 80-Core Processor", "cores": 4, "usable_cores": 2},
        "load": None,
        "faults": None,
        "run": {
            "fps": "30",
            "closed_loop": False,
            "policy": "drop-oldest",
            "queue": 1,
            "video": "delivered",
            "started": "2026-11-24T11:17:48.389+00:00",
        },
        **changes,
    }


def shortened(directory: Path, seconds: float) -> None:
    """Leaves ``seconds`` of a soak that was stopped to be run: a test cannot know beforehand when it stops."""
    path = directory / "asked.json"
    request = json.loads(path.read_text())
    request["replay"]["duration_s"] = resumed(directory, []).done_s + seconds
    path.write_text(json.dumps(request))
