"""The project as git would check it out, what is not committed yet included."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.runs import ROOT


def check_out(tree: Path) -> None:
    """Copies every file that git knows, or would take, into ``tree``."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tree / name)
