"""The table of the versions with which all tests have passed.

While a pass goes on, the table has the installed versions, so that a new release of a library alone fails nothing:
every command would have a note about it. When the pass is over, the table is what it was; ``python -m
tests.record_tested`` after passes without a failure writes them down for good.
"""

from __future__ import annotations

import json
import os

import pytest

from streamer.vendors.versions import BASE, EXTRAS, TESTED, is_newer, tested, versions
from tests.runs import ROOT

PATH = ROOT / "streamer" / "vendors" / TESTED
_before = pytest.StashKey[str]()


def newly_tested() -> dict[str, str]:
    """The installed versions that are newer than those in the table, or not in it; of Python the minor version."""
    known = tested()
    found = {name: version for name, version in versions().items() if name in (*BASE, *EXTRAS)}
    found["python"] = ".".join(versions()["python"].split(".")[:2])
    return {name: version for name, version in found.items() if name not in known or is_newer(version, known[name])}


def record(newer: dict[str, str]) -> None:
    """Writes newer versions into the table."""
    PATH.write_text(json.dumps(dict(sorted({**tested(), **newer}.items())), indent=1) + "\n", encoding="utf-8")
    tested.cache_clear()


def pytest_configure(config: pytest.Config) -> None:
    newer = newly_tested()
    if newer and "PYTEST_XDIST_WORKER" not in os.environ:
        config.stash[_before] = PATH.read_text(encoding="utf-8")
        record(newer)


def pytest_unconfigure(config: pytest.Config) -> None:
    if _before in config.stash:
        PATH.write_text(config.stash[_before], encoding="utf-8")
        tested.cache_clear()


def main() -> None:
    """Writes the table, and prints the versions that are new in it."""
    newer = newly_tested()
    if not newer:
        print(f"streamer/vendors/{TESTED} knows all of these versions")
        return
    record(newer)
    print(
        f"streamer/vendors/{TESTED}: commit it: {', '.join(f'{name} {version}' for name, version in newer.items())}"
    )


if __name__ == "__main__":
    main()
