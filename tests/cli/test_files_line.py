"""The line that names the files of a study."""

from __future__ import annotations

from pathlib import Path

from streamer.cli.files_line import files_line


def test_only_files_that_are_there_are_named(tmp_path: Path) -> None:
    names = ("pace.csv", "pace.json", "pace.png")
    for name in names[:2]:
        (tmp_path / name).touch()
    assert files_line(tmp_path, names) == f"{tmp_path}/ pace.csv, pace.json"
    assert files_line(tmp_path, names, "part-0") == f"{tmp_path}/ pace.csv, pace.json, part-0"
