"""The Python that ``make`` uses: python3 where it serves, else the newest that is found and runs."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.runs import ROOT

SCRIPT = ROOT / ".ci" / "find-python"
TOOLS = "/usr/bin:/bin"


def place(path: Path, version: str | None) -> Path:
    """A Python that says that it is of this version; None for one that does not run, as pyenv's shims may not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n" + ("exit 127\n" if version is None else f"echo {version}\n"))
    path.chmod(0o755)
    return path


def find(tmp_path: Path, wanted: str, there: Mapping[str, str | None], pyenv: str = "") -> tuple[int, str, str]:
    """The exit code, the path and the message, with only these commands on the PATH, and such a version in pyenv."""
    for name in ("python3", *(f"python3.{minor}" for minor in range(11, 20))):
        place(tmp_path / "bin" / name, there.get(name))
    if pyenv:
        place(tmp_path / "pyenv" / "versions" / pyenv / "bin" / "python3", pyenv.rpartition(".")[0])
    done = subprocess.run(
        ["sh", str(SCRIPT), wanted], capture_output=True, text=True, check=False,
        env={"PATH": f"{tmp_path / 'bin'}:{TOOLS}", "HOME": str(tmp_path), "PYENV_ROOT": str(tmp_path / "pyenv")},
    )  # fmt: skip
    return done.returncode, done.stdout.strip().removeprefix(str(tmp_path)), done.stderr.strip()


@pytest.mark.parametrize(
    ("wanted", "there", "pyenv", "found", "note"),
    [
        ("usual", {"python3": "3.11"}, "", "/bin/python3", ""),
        ("usual", {"python3": "3.11", "python3.13": "3.13"}, "", "/bin/python3", ""),
        ("usual", {"python3": "3.9", "python3.12": "3.12"}, "", "/bin/python3.12", "python3 is 3.9: using "),
        ("usual", {"python3": "3.9", "python3.13": None}, "3.13.0", "/pyenv/versions/3.13.0/bin/python3", "3.13"),
        ("usual", {"python3.12": "3.12"}, "", "/bin/python3.12", "python3 is not there: using "),
        ("newest", {"python3": "3.11", "python3.12": "3.12"}, "3.13.5", "/pyenv/versions/3.13.5/bin/python3", ""),
        ("newest", {"python3": "3.11", "python3.18": "3.18"}, "3.13.5", "/pyenv/versions/3.13.5/bin/python3", ""),
        (
            "newest",
            {"python3": "3.11", "python3.12": None},
            "",
            "/bin/python3",
            "no Python newer than python3 (3.11)",
        ),
        ("newest", {"python3": "3.11", "python3.19": "3.19"}, "", "/bin/python3", "no Python newer"),
        ("3.11", {"python3": "3.13"}, "3.11.9", "/pyenv/versions/3.11.9/bin/python3", ""),
    ],
)
def test_the_python_that_is_found(
    wanted: str, there: dict[str, str | None], pyenv: str, found: str, note: str, tmp_path: Path
) -> None:
    code, path, words = find(tmp_path, wanted, there, pyenv)
    assert (code, path) == (0, found)
    assert note in words
    assert len(words.splitlines()) == bool(note)


@pytest.mark.parametrize("wanted", ["usual", "newest", "3.11"])
def test_where_none_serves_it_says_what_to_install(wanted: str, tmp_path: Path) -> None:
    code, path, words = find(tmp_path, wanted, {"python3": "3.9", "python3.12": None})
    assert (code, path) == (1, "")
    assert "apt-get install python3-venv" in words
    assert len(words.splitlines()) == 1
