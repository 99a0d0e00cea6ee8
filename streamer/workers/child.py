"""The program of a child process, run by its path: it knows nothing of the script of its parent.

It imports only the standard library before the parent has sent the path to the rest.
"""

from __future__ import annotations

import os
import pickle
import sys
from importlib.util import module_from_spec, spec_from_file_location
from multiprocessing.connection import Connection
from typing import Any


def main() -> None:
    """Receives the work from the parent, over the line whose number is the argument, and does it."""
    lifeline = _keep_standard_input()
    link = _line(int(sys.argv[1]))
    try:
        path, given = pickle.loads(link.recv_bytes())
    except (ConnectionError, EOFError):  # the parent has gone already
        return
    _load_package()
    sys.path[:] = path
    from streamer.workers.processes import begin

    begin(link, lifeline, given)


def _keep_standard_input() -> int:
    """Moves the pipe from the parent to another number: code and programs here then have no standard input."""
    lifeline = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return lifeline


def _line(number: int) -> Any:
    if sys.platform == "win32":
        from multiprocessing.connection import PipeConnection

        return PipeConnection(number)
    os.set_inheritable(number, False)
    return Connection(number)


def _load_package() -> None:
    """Loads streamer from this file's folder, which the parent's path need not name, or not first."""
    folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    first = os.path.join(folder, "__init__.py")
    spec = spec_from_file_location("streamer", first, submodule_search_locations=[folder])
    assert spec is not None
    assert spec.loader is not None
    sys.modules["streamer"] = package = module_from_spec(spec)
    spec.loader.exec_module(package)


if __name__ == "__main__":
    main()
