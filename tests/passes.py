"""The rules of a pass over the tests, as a plug-in of pytest: what runs again, where, and how long.

**Again**: a pass with ``--passed=FILE`` writes down what passed in it and imported no extra; a pass with
``--not-again=FILE`` leaves that out, and runs all the rest. So no test can be in neither. (With a blank before a FILE
that is there, pytest takes it for a path of tests, and finds no options of ours.)

**Where**: workers share the tests by ``--dist worksteal``, in runs of neighbours: few modules are split and make
their fixtures twice. (``loadgroup`` would split none, but hangs when a worker is replaced: pytest-xdist 1323.) Tests
marked ``timing`` measure real time and are run by themselves: ``-m timing``.

**How long**: a test that is marked neither ``slow`` nor ``timing`` may use BUDGET_S of CPU time, with that of its
processes. Contention on a shared machine lengthens CPU time too, though less than wall time: so only twice the budget
fails a pass, and only with ``--budget``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import cast

import pytest

EXTRAS = ("torch", "torchvision", "ultralytics", "onnx", "nncf")
"""Packages that only the pass with every extra has."""
BUDGET_S = 5.0
TOLERANCE = 2


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--budget", action="store_true", help="fail when a test takes too much CPU time")
    parser.addoption("--passed", type=Path, metavar="FILE", help="add the tests that passed without an extra to FILE")
    parser.addoption("--not-again", type=Path, metavar="FILE", help="leave out the tests that FILE lists")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    # Modules with slow tests come first, the slowest before the others: else workers wait for one at the end.
    slow = {item.path: _may_take_s(item) for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: -slow.get(item.path, 0))
    listed: Path | None = config.getoption("--not-again")
    if listed is not None:
        passed = set(listed.read_text(encoding="utf-8").splitlines())
        config.hook.pytest_deselected(items=[item for item in items if item.nodeid in passed])
        items[:] = [item for item in items if item.nodeid not in passed]


def _may_take_s(item: pytest.Item) -> float:
    own = item.get_closest_marker("timeout")
    return float(own.args[0] if own else 1)


class _ExtraSeen:
    """A finder that finds no module, but records that an extra was imported or looked for in this process."""

    def __init__(self) -> None:
        self.extra = False

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        self.extra |= name in EXTRAS
        return None


_seen = _ExtraSeen()
sys.meta_path.insert(0, _seen)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    _seen.extra = item.get_closest_marker("extras") is not None
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    before = os.times()
    try:
        return (yield)
    finally:
        # The CPU time of this process and of its children that have ended.
        cpu_s = sum(os.times()[:4]) - sum(before[:4])
        item.user_properties += [("cost_s", (cpu_s, os.times().elapsed - before.elapsed)), ("extra", _seen.extra)]


def pytest_configure(config: pytest.Config) -> None:
    listed: Path | None = config.getoption("--not-again")
    if listed is not None and not listed.is_file():
        raise pytest.UsageError(f"--not-again {listed}: there is no such file")
    if "PYTEST_XDIST_WORKER" not in os.environ:
        config.pluginmanager.register(_Pass(config.getoption("--passed")))


@dataclass(frozen=True, slots=True)
class _Cost:
    """The time that a test took, in seconds."""

    test: str
    cpu_s: float
    wall_s: float


class _Pass:
    """The results of a pass, in the process that the workers report to."""

    def __init__(self, passed_file: Path | None) -> None:
        self._passed_file = passed_file
        self._passed: dict[str, bool] = {}
        self._over: list[_Cost] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call":
            properties = dict(report.user_properties)
            self._passed[report.nodeid] = report.outcome == "passed" and not properties["extra"]
            cost = _Cost(report.nodeid, *map(float, cast(Sequence[float], properties["cost_s"])))
            if cost.cpu_s > BUDGET_S and not {"slow", "timing"} & set(report.keywords):
                self._over.append(cost)
        elif not report.passed:
            self._passed[report.nodeid] = False

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._passed_file is not None:
            with self._passed_file.open("a", encoding="utf-8") as file:
                file.writelines(f"{test}\n" for test, passed in self._passed.items() if passed)
        options = session.config.option
        if options.budget and self._too_long() and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        if options.not_again and session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
            session.exitstatus = pytest.ExitCode.OK  # another pass has run them all

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for cost in sorted(self._over, key=lambda cost: -cost.cpu_s):
            word = "TOO LONG" if cost in self._too_long() else "long"
            took = f"{cost.cpu_s:.1f} s of CPU time ({cost.wall_s:.1f} s in all)"
            terminalreporter.write_line(f"{word}: {took}, and not marked slow: {cost.test}")

    def _too_long(self) -> list[_Cost]:
        return [cost for cost in self._over if cost.cpu_s > TOLERANCE * BUDGET_S]
