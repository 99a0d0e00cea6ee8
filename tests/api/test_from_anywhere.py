"""Every function of the library, from programs of every kind: none has a guard, and the body of each runs once."""

from __future__ import annotations

import inspect
import subprocess
import sys
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import streamer
from tests.runs import environment
from tests.videos import write_video

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

FRAMES = 20


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a function, and what holds of its ``result``; braces stand for engines and for where it writes."""

    text: str
    holds: str


SMALL = "model='tiny.xml', out='{out}'"
CALLS = {
    "replay": Call(
        f"'clip.mp4', engine='{{engine}}', respawn=1, load='cpu=0.1', chart=False, {SMALL}",
        f"result.manifest['frames']['scheduled'] == {FRAMES}",
    ),
    "compare": Call(
        f"'clip.mp4', engine=['{{engine}}', '{{engine}}'], chart=False, {SMALL}",
        f"[row['frames']['scheduled'] for row in result.document['engines']] == [{FRAMES}, {FRAMES}]",
    ),
    "pace": Call(
        f"'clip.mp4', engine='{{engine}}', fps=[2, 4], duration='4s', chart=False, {SMALL}",
        "[row['fps'] for row in result.document['rates']] == ['2', '4']",
    ),
    "bench": Call(f"engine='{{engine}}', number=3, {SMALL}", "result.document['run']['number'] == 3"),
    "parity": Call(
        f"'clip.mp4', engine='{{engine}}', reference='{{other}}', frames=3, {SMALL}",
        "len(result.document['engines']) == 2 and not result.missed",
    ),
    "verify": Call("streamer.replay('clip.mp4', engine='{engine}', " + SMALL + ").directory", "result.valid"),
    "soak": Call(
        f"'clip.mp4', engine='{{engine}}', duration='1s', window='0.5s', chart=False, {SMALL}",
        "result.document['windows'] and result.interrupted is None",
    ),
}
"""A call of each function."""
NO_CALL = {"open_run": "reads what the others have written, and starts nothing"}
"""Functions that are not called here, and why."""
ENGINES = {"null": ("null,delay_ms=1", "null,delay_ms=2"), "ir": ("ir", "ir,threads=1")}
"""Each, and another one to compare it with."""

WAYS = {
    "main": "result = streamer.{call}",
    "thread": """
import threading
found = []
thread = threading.Thread(target=lambda: found.append(streamer.{call}))
thread.start()
thread.join()
(result,) = found
""",
    "in asyncio's loop": """
import asyncio
async def main():
    return streamer.{call}
result = asyncio.run(main())
""",
    "awaited on asyncio": """
import asyncio
async def main():
    return await streamer.aio.{call}
result = asyncio.run(main())
""",
    "awaited on trio": """
import trio
async def main():
    return await streamer.aio.{call}
result = trio.run(main)
""",
}
FORMS = {
    "script": ("main", "thread"),
    "-c": ("in asyncio's loop", "awaited on asyncio"),
    "stdin": ("main", "awaited on trio"),
}
"""How a program reaches Python, and what it does; each way stands in one of them."""


def functions() -> list[str]:
    """The public functions: those that have an awaitable twin or are not to be called here, and no classes."""
    return [name for name in streamer.__all__ if inspect.isfunction(getattr(streamer, name))]


def program(name: str, engine: str, form: str) -> str:
    """A user's program that calls the function in the ways of its form."""
    call, (spec, other) = CALLS[name], ENGINES[engine]
    lines = ["with open('ran', 'a') as ran:", "    ran.write('once ')", "import streamer"]
    for number, way in enumerate(FORMS[form]):
        text = f"{name}({call.text.format(engine=spec, other=other, out=f'out-{number}')})"
        lines += [WAYS[way].format(call=text), f"assert {call.holds}, result", "print('done')"]
    return "\n".join(lines)


@pytest.fixture
def desk(tmp_path: Path, tiny_model: Path) -> Path:
    """A directory with a clip and a model, both small."""
    bright = np.full((64, 64, 3), 240, np.uint8)  # the tiny model is sure of what is bright
    write_video(tmp_path / "clip.mp4", [bright] * FRAMES, rate=Fraction(10))
    for part in (tiny_model, tiny_model.with_suffix(".bin")):
        (tmp_path / part.name).write_bytes(part.read_bytes())
    return tmp_path


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", CALLS)
def test_a_function_works_in_a_program_without_a_guard(name: str, engine: str, form: str, desk: Path) -> None:
    code = program(name, engine, form)
    script = desk / "script.py"
    script.write_text(code, encoding="utf-8")
    arguments = {"script": [str(script)], "-c": ["-c", code], "stdin": ["-"]}[form]
    given = code if form == "stdin" else None
    done = subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        cwd=desk, env=environment(), input=given, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout == "done\n" * len(FORMS[form]), "the library prints nothing"
    assert (desk / "ran").read_text() == "once ", "the body of the program ran in a child too"


def test_every_function_is_called_here_in_every_way() -> None:
    assert sorted([*CALLS, *NO_CALL]) == sorted(functions())
    assert {way for ways in FORMS.values() for way in ways} == set(WAYS)
    assert set(CALLS) <= set(streamer.aio.__all__)
