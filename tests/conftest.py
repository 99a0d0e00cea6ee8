"""What all tests share: a cache of their own, a small model, the rules of a pass and its versions."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from streamer.vendors.versions import line
from tests.runs import write_tiny_model
from tests.verified import differences, finished_runs_verified
from tests.wheels import build_wheel

pytest_plugins = ["tests.passes", "tests.record_tested"]

# The time of an example says nothing on a shared machine.
hypothesis.settings.register_profile("streamer", deadline=None)
hypothesis.settings.load_profile("streamer")

# A background job of a script inherits SIGINT ignored, one under nohup SIGHUP, and would hand that on to the
# processes that tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP"):  # Windows has none
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_report_header() -> str:
    """The versions that this pass is of; its last line has them too."""
    return f"versions: {line()}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.write_line(f"versions: {line()}")


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """IR made by the tests, and by the processes that they start, stays out of the user's cache.

    Workers of one pass share it: what one has made, the others find.
    """
    before = os.environ.get("STREAMER_CACHE")
    base = tmp_path_factory.getbasetemp()
    cache = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "cache"
    cache.mkdir(exist_ok=True)
    os.environ["STREAMER_CACHE"] = str(cache)
    yield cache
    if before is None:
        del os.environ["STREAMER_CACHE"]
    else:
        os.environ["STREAMER_CACHE"] = before


@pytest.fixture(autouse=True, scope="session")
def own_runs_verified() -> Iterator[None]:
    """Runs of this process are verified as soon as they are finished."""
    with finished_runs_verified():
        yield


@pytest.fixture(autouse=True)
def verdicts_are_the_same(own_runs_verified: None) -> Iterator[None]:
    """A test fails, at its end, when verify contradicts the verdict of a run that it made or was given."""
    yield
    found = differences()
    assert not found, "\n".join(found)


@pytest.fixture(autouse=True)
def signals_are_left_alone() -> Iterator[None]:
    """A test fails that leaves SIGINT to another handler, or a wakeup descriptor: the next Ctrl-C would end all."""
    yield
    handler, descriptor = signal.getsignal(signal.SIGINT), signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    assert (handler, descriptor) == (signal.default_int_handler, -1)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A detector of two classes for 64x64 pixels, as IR."""
    return write_tiny_model(tmp_path_factory.mktemp("tiny") / "tiny.xml")


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """streamer as a wheel."""
    return build_wheel(tmp_path_factory.mktemp("wheel"))
