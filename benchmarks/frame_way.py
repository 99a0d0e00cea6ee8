"""A frame's way: the files whose code runs for one frame, from its reading to its row in frames.csv.

python -m benchmarks.frame_way [--engine null] [--list]

A frame's way is what runs between two rows of frames.csv in mid-run, where each stage has done its work once. What
runs now and then only, such as the progress, is left out: files count that run for every one of the frames looked at.
Calls come back to a file when it is called while it waits further up in the same stack for another file's answer.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import streamer
from streamer import Settings

Trace = Callable[[FrameType, str, Any], Any]
PACKAGE = Path(streamer.__file__).parent
ROW = "frame_row"
"""The function that makes a frame's row: its last step."""
FIRST, FRAMES = 20, 30
"""The frames looked at: the first ones fill queues and caches."""


class Way:
    """Follows all threads: the files whose lines run for each frame, and those to which calls come back."""

    def __init__(self) -> None:
        self.files: list[set[str]] = [set()]
        self.back: list[Counter[str]] = [Counter()]
        self._known: dict[str, str | None] = {}

    def trace(self, frame: FrameType, event: str, _: object) -> Trace | None:
        """A trace function of Python's."""
        file = self._file(frame)
        if file is None:
            return None
        # A task that goes on is called too, but not at its first line.
        if event == "call" and frame.f_lineno == frame.f_code.co_firstlineno:
            if self._comes_back(frame, file):
                self.back[-1][file] += 1
        elif event == "line":
            self.files[-1].add(file)
        elif event == "return" and frame.f_code.co_name == ROW:
            self.files.append(set())
            self.back.append(Counter())
        return self.trace

    def _file(self, frame: FrameType) -> str | None:
        name = frame.f_code.co_filename
        if name not in self._known:
            path = Path(name)
            self._known[name] = str(path.relative_to(PACKAGE)) if path.is_relative_to(PACKAGE) else None
        return self._known[name]

    def _comes_back(self, frame: FrameType, file: str) -> bool:
        """The file stands further up in the stack, with another one in between."""
        outer, left = frame.f_back, False
        while outer is not None:
            other = self._file(outer)
            if other == file:
                return left
            left = left or other is not None
            outer = outer.f_back
        return False


def main() -> None:
    """Replays the bundled clip under a trace function, and prints the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", default="null")
    parser.add_argument("--list", action="store_true", help="name the files")
    options = parser.parse_args()
    way = Way()
    threading.settrace(way.trace)
    sys.settrace(way.trace)
    with tempfile.TemporaryDirectory() as scratch:
        clip = PACKAGE.parent / "samples" / "street.mp4"
        settings = Settings(engine=options.engine, fps=2, frames=FRAMES + 1, out=Path(scratch) / "run", stall=60.0)
        run = streamer.replay(str(clip), settings)
    sys.settrace(None)
    assert run.manifest["frames"]["dropped"] == 0, "this machine is too busy for two frames a second"
    files = set.intersection(*way.files[FIRST:FRAMES])
    back = way.back[FIRST:FRAMES]
    most = {file: max(one[file] for one in back) for file in sorted(files) if any(one[file] for one in back)}
    print(f"files: {len(files)}")
    print(f"calls that come back to a file: {max(one.total() for one in back)} at most {most}")
    if options.list:
        print("\n".join(sorted(files)))


if __name__ == "__main__":
    main()
