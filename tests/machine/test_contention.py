"""What the machine tells of itself, from files as the kernel writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamer.machine import contention


def test_throttling_is_what_the_control_group_and_the_processor_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    group, core = tmp_path / "cpu.stat", tmp_path / "core_throttle_count"
    group.write_text("usage_usec 9000\nnr_periods 50\nnr_throttled 42\nthrottled_usec 7000\n")
    core.write_text("3\n")
    keys = [key for _, key in contention.HELD_BACK]
    monkeypatch.setattr(contention, "HELD_BACK", tuple(zip((str(group), str(core)), keys, strict=True)))
    assert contention.throttled() == 45
    group.unlink()
    assert contention.throttled() == 3
