"""What the machine tells of itself, from files as the kernel writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamer import witness


def test_throttling_is_what_the_control_group_and_the_processor_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    group, core = tmp_path / "cpu.stat", tmp_path / "core_throttle_count"
    group.write_text("usage_usec 9000\nnr_periods 50\nnr_throttled 42\nthrottled_usec 7000\n")
    core.write_text("3\n")
    keys = [key for _, key in witness.HELD_BACK]
    monkeypatch.setattr(witness, "HELD_BACK", tuple(zip((str(group), str(core)), keys, strict=True)))
    assert witness.throttled() == 45
    group.unlink()
    assert witness.throttled() == 3
