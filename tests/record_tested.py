"""Writes down the versions in force as tested, where they are newer: run after all tests have passed with them."""

from __future__ import annotations

import json

from streamer.vendors.versions import BASE, EXTRAS, TESTED, is_newer, tested, versions
from tests.runs import ROOT

PATH = ROOT / "streamer" / "vendors" / TESTED


def newly_tested() -> dict[str, str]:
    """The versions in force that are newer than those written down, or not written down; of Python the minor one."""
    known = tested() if PATH.exists() else {}
    found = {name: version for name, version in versions().items() if name in (*BASE, *EXTRAS)}
    found["python"] = ".".join(versions()["python"].split(".")[:2])
    return {name: version for name, version in found.items() if name not in known or is_newer(version, known[name])}


def main() -> None:
    """Writes the table, and says what was raised in it."""
    newer = newly_tested()
    if not newer:
        print(f"streamer/vendors/{TESTED} knows all of these versions")
        return
    table = {**(tested() if PATH.exists() else {}), **newer}
    PATH.write_text(json.dumps(dict(sorted(table.items())), indent=1) + "\n", encoding="utf-8")
    print(
        f"streamer/vendors/{TESTED}: commit it: {', '.join(f'{name} {version}' for name, version in newer.items())}"
    )


if __name__ == "__main__":
    main()
