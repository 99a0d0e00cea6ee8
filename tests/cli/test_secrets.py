"""No command says or writes the secret of an address, however that is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import runs

SECRET = "hunter2"
ADDRESSES = (
    *(f"rtsp:/admin:{SECRET}@cam/live", f"rtsp//admin:{SECRET}@cam/live", f"admin:{SECRET}@cam:554/live"),
    *(f"rtsp:admin:{SECRET}@cam", f" rtsp://admin:{SECRET}@127.0.0.1:1/live", f"htps://admin:{SECRET}@cam/live"),
    *(f"{SECRET}@cam/live", f"cam/live?jwt={SECRET}", f"http:/cam/live?pin={SECRET}&fps=5", f"camera:0@{SECRET}@x"),
    f"http://127.0.0.1:1/live?jwt={SECRET}&pin={SECRET}",
)
COMMANDS = (
    ("replay",),
    ("compare", "--engine", "null"),
    ("compare", "nowhere"),
    ("pace", "--engine", "null"),
    ("pace", "nowhere"),
    ("parity",),
    ("soak", "--duration", "1h", "--engine", "null"),
    ("bench",),
    ("verify", "nowhere"),
    (),
)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_an_address_that_cannot_be_opened_is_reported_without_secrets(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    quick = ("--no-reconnect", "--source-timeout", "1s") if command[:1] in {("replay",), ("soak",)} else ()
    for address in ADDRESSES:
        live = quick if "://" in address and address[0] in "rh" and "htps" not in address else ()
        done = runs.streamer(*command, *live, address, cwd=tmp_path)
        assert done.code in (1, 2)
        assert SECRET not in f"{done.out}{done.err}"
        assert done.err.count("streamer: ") == 1
        assert "***" in done.err or command[-1:] == ("nowhere",)
        assert not any(SECRET in str(path) for path in tmp_path.rglob("*"))


@pytest.mark.parametrize("address", [*ADDRESSES, f"rtsp://admin:{SECRET}@cam/live"])
def test_of_two_sources_an_address_is_reported_without_its_secret(address: str, tmp_path: Path) -> None:
    done = runs.streamer("compare", address, "nowhere", cwd=tmp_path)
    assert done.code == 2
    assert "***" in done.error.partition(" is no finished run")[0]
    assert SECRET not in done.err
