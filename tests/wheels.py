"""streamer as users install it: built as a wheel, and in an environment of its own."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

from tests.install.checkout import check_out


def build_wheel(scratch: Path) -> Path:
    """Built from a copy of what git would check out, so that nothing is left in the tree."""
    tree, out = scratch / "tree", scratch / "wheel"
    tree.mkdir()
    check_out(tree)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(out), str(tree)]
    subprocess.run(command, check=True, capture_output=True)
    (built,) = out.glob("*.whl")
    return built


def install(wheel: Path, scratch: Path) -> Path:
    """The Python of a new environment that has the wheel, and beside it what this one has installed."""
    environment = scratch / "environment"
    venv.create(environment, with_pip=False, symlinks=True)
    site = Path(sysconfig.get_path("purelib", "venv", {"base": str(environment), "platbase": str(environment)}))
    zipfile.ZipFile(wheel).extractall(site)
    (site / "beside.pth").write_text("".join(f"{path}\n" for path in sys.path if path.endswith("-packages")))
    return environment / "bin" / "python"
