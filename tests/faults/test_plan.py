"""Plans of faults: what they may contain, and the messages with which others are refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from streamer.errors import UsageError
from streamer.faults.kinds import KINDS, Kind
from streamer.faults.plan import parse_plan, plan_of
from tests.runs import ROOT

EVERY_KEY = {"for": "2s", "frames": 5, "ms": 40, "kb": 64, "size": "320x240", "cores": 1.5}


def test_faults_are_read_with_their_instants_streams_and_sizes(tmp_path: Path) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(
        '[[fault]]\nkind = "stall"\nframe = 100\nfor = "2s"\n'
        '[[fault]]\nkind = "resolution"\nat = "3.2s"\nsize = "320x240"\nstream = 1\n'
        '[[fault]]\nkind = "black"\nframe = 7\n'
    )
    stall, resolution, black = parse_plan(str(path)).faults
    assert (stall.kind, stall.frame, stall.at_us, stall.for_us, stall.stream) == (Kind.STALL, 100, None, 2_000_000, 0)
    assert (resolution.at_us, resolution.frame, resolution.stream) == (3_200_000, None, 1)
    assert (resolution.size, resolution.frames) == ((320, 240), None)
    assert black.frames == 1
    assert stall.name == f"fault 1 of {path}"


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_is_used_with_what_it_needs_and_refused_without(kind: Kind) -> None:
    needed = {key: EVERY_KEY[key] for key in KINDS[kind].needs}
    more = {key: EVERY_KEY[key] for key in KINDS[kind].takes}
    (fault,) = plan_of("plan.toml", [{"kind": kind.value, "at": "1s", **needed, **more}]).faults
    assert fault.kind is kind
    for key in needed:
        less = {other: value for other, value in needed.items() if other != key}
        with pytest.raises(UsageError, match=rf"fault 1 of plan\.toml: {kind} needs {key}, as in {key} = "):
            plan_of("plan.toml", [{"kind": kind.value, "at": "1s", **less}])


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_an_effect_by_its_name(kind: Kind) -> None:
    files = [path for path in (ROOT / "streamer" / "faults").glob("*.py") if path.name != "kinds.py"]
    named = [path.name for path in files if re.search(rf"\bKind\.{kind.name}\b", path.read_text(encoding="utf-8"))]
    assert len(named) == 1, f"{kind} has its effect in {named}"


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"kind": "stal", "frame": 1}, "kind is 'stal'; give one of stall, burst"),
        ({"frame": 1}, "kind is None; give one of"),
        ({"kind": ["stall"], "frame": 1}, "give one of stall"),
        ({"kind": "black", "frame": 1, "ms": 5}, "black takes at, frame, frames, stream, not 'ms'"),
        ({"kind": "black"}, "say once when it is to happen"),
        ({"kind": "black", "frame": 1, "at": "1s"}, "say once when it is to happen"),
        ({"kind": "black", "frame": 0}, "frame is 0; give a whole number from 1 on"),
        ({"kind": "black", "frame": True}, "frame is True"),
        ({"kind": "black", "frame": "100"}, "frame is '100'"),
        ({"kind": "black", "at": 3.2}, 'at is 3.2; give a time, as in at = "3.2s"'),
        ({"kind": "black", "at": "soon"}, "at is 'soon'"),
        ({"kind": "black", "frame": 1, "stream": -1}, "stream is -1; give a whole number from 0 on"),
        ({"kind": "black", "frame": 1, "frames": 0}, "frames is 0"),
        ({"kind": "stall", "frame": 1, "for": "0s"}, "for is '0s'"),
        ({"kind": "engine-slow", "frame": 1, "ms": float("nan")}, "ms is nan; give a number above 0"),
        ({"kind": "engine-slow", "frame": 1, "ms": -1}, "ms is -1"),
        ({"kind": "engine-slow", "frame": 1, "ms": float("inf")}, "ms is inf"),
        ({"kind": "hog", "frame": 1, "for": "1s", "cores": 100_000}, "cores is 100000; give a number above 0 and up"),
        ({"kind": "resolution", "frame": 1, "size": "320"}, "size is '320'; give width and height"),
        ({"kind": "resolution", "frame": 1, "size": "99999x2"}, "size is '99999x2'"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_fault_and_the_mend(entry: dict[str, object], says: str) -> None:
    good = {"kind": "black", "frame": 1}
    with pytest.raises(UsageError) as refused:
        plan_of("plan.toml", [good, entry])
    assert str(refused.value).startswith("fault 2 of plan.toml: ")
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("kind = stall", "is no TOML"),
        ("", r"give \[\[fault\]\] tables and nothing else"),
        ('[fault]\nkind = "black"', r"give \[\[fault\]\] tables"),
        ('seed = 1\n[[fault]]\nkind = "black"\nframe = 1', "nothing else"),
        ("\x00", "is no TOML"),
    ],
)
def test_a_file_that_is_no_plan_is_refused(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=says):
        parse_plan(str(path))


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        parse_plan(str(tmp_path / "nowhere.toml"))
    with pytest.raises(UsageError, match="cannot be read"):
        parse_plan(str(tmp_path))
    (tmp_path / "latin.toml").write_bytes(b"# \xe9")
    with pytest.raises(UsageError, match="is no TOML"):
        parse_plan(str(tmp_path / "latin.toml"))
