"""What real shells complete: files for sources, names and files for models, directories for runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.runs import environment

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has none of these shells")

LINES = {
    "replay cl": {"clip.mp4", "clips/"},
    "replay clip.mp4 --arrivals arr": {"arrivals.csv"},
    "replay clip.mp4 --faults fau": {"faults.toml"},
    "replay clip.mp4 --model st": {"street", "stored", "street.onnx"},
    "replay clip.mp4 --model mi": {"mine.onnx"},
    "compare clip.mp4 cl": {"clip.mp4", "clips/"},
    "pace cl": {"clip.mp4", "clips/"},
    "parity cl": {"clip.mp4", "clips/"},
    "soak cl": {"clip.mp4", "clips/"},
    "verify cl": {"clips/"},
}
"""Command lines, and the completions of the last word. Some of these shells leave out the slash of a directory."""

FEW = ("replay cl", "replay clip.mp4 --model st", "soak cl", "verify cl")
"""Enough for a shell whose script click writes."""

BASH = """
source completion
complete_line() {
    COMP_WORDS=($1) COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMPREPLY=() options=
    compopt() { options+=" $2"; }
    _streamer_completion streamer
    cur=${COMP_WORDS[COMP_CWORD]}
    printf '%s\\n' "${COMPREPLY[@]}"
    # What bash itself adds by these options.
    case $options in *default*) compgen -f -- "$cur" ;; *dirnames*) compgen -d -- "$cur" ;; esac
}
while IFS= read -r line; do echo "> $line"; complete_line "streamer $line"; done < lines
"""
FISH = """
source completion
while read -l line; echo "> $line"; complete -C "streamer $line" | string split -f1 \\t; end < lines
"""
ZSH = """
compdef() { }
_path_files() { if [[ $1 == -/ ]]; then print -rl -- $words[CURRENT]*(N/); else print -rl -- $words[CURRENT]*(N); fi }
_describe() { print -rl -- ${${(P)3}%%:*} }
compadd() { print -rl -- ${(P)@[-1]} }
source completion
while IFS= read -r line; do
    echo "> $line"
    words=(streamer ${=line}) CURRENT=$(( ${#${=line}} + 1 ))
    _streamer_completion
done < lines
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with files to be completed, and a ``streamer`` on the path."""
    folder = tmp_path_factory.mktemp("place")
    for name in ("clip.mp4", "arrivals.csv", "faults.toml", "mine.onnx", "street.onnx"):
        (folder / name).touch()
    (folder / "clips").mkdir()
    (folder / "cache" / "models" / "stored").mkdir(parents=True)
    (folder / "bin").mkdir()
    command = folder / "bin" / "streamer"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m streamer "$@"\n')
    command.chmod(0o755)
    return folder


def completions(shell: str, script: str, place: Path) -> dict[str, set[str]]:
    """The completions of each line by the script. Skips where the shell is not installed."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    more = {
        "PATH": f"{place / 'bin'}:{os.environ['PATH']}",
        "STREAMER_CACHE": str(place / "cache"),
        "HOME": str(place),
    }
    with_source = environment({**more, "_STREAMER_COMPLETE": f"{shell}_source"})
    source = subprocess.run(["streamer"], cwd=place, env=with_source, capture_output=True, text=True, check=True)
    (place / "completion").write_text(source.stdout)
    done = subprocess.run(
        [shell, "-c", script], cwd=place, env=environment(more), capture_output=True, text=True, check=True
    )
    found: dict[str, set[str]] = {}
    for line in done.stdout.splitlines():
        if line.startswith("> "):
            found[line.removeprefix("> ")] = words = set()
        elif line:
            words.add(line)
    assert done.stderr == ""
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shell", "script", "lines"), [("bash", BASH, LINES), ("fish", FISH, FEW), ("zsh", ZSH, FEW)]
)
def test_shells_complete_what_a_command_takes(shell: str, script: str, lines: Iterable[str], place: Path) -> None:
    (place / "lines").write_text("".join(f"{line}\n" for line in lines))
    found = completions(shell, script, place)
    without_slash = {line: {word.rstrip("/") for word in words} for line, words in found.items()}
    assert without_slash == {line: {word.rstrip("/") for word in LINES[line]} for line in lines}
