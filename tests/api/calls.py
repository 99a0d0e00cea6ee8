"""Calling functions of the library in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.runs import environment


def interrupted(function: str, source: Path, options: Mapping[str, Any], when: str, *, cwd: Path) -> dict[str, Any]:
    """What a call came to that `tests.api.interrupted` interrupted; it said nothing else."""
    command = [sys.executable, "-m", "tests.api.interrupted", function, str(source), json.dumps(options), when]
    done = subprocess.run(command, cwd=cwd, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    said: dict[str, Any] = json.loads(done.stdout)
    return said
