"""A fault that waits for its frame or its time, and what came of it."""

from __future__ import annotations

from threading import Lock
from typing import TypedDict, cast

from streamer.faults.plan import Fault


class FaultPart(TypedDict):
    """One of the manifest's ``faults``: what was requested, by the keys of the plan, and what came of it."""

    kind: str
    """The kind of the fault. The plan's other keys stand beside it as they were given, such as ``frame``, ``at`` or
    ``for``."""
    stream: int
    """The stream that it was meant for, from 0."""
    began_frame: int | None
    """The first frame at which it was injected, by its number from 0. Null when it was not, and in a repaired run."""
    began_ms: float | None
    """When that was, since the start of the run. Null where ``began_frame`` is."""
    befallen: int
    """At how many frames it was injected; 0 also in a repaired run, in which it is not known."""


class Trigger:
    """Waits for its instant, and then befalls as many frames as it is to.

    ``befallen`` counts them; the first was ``frame``, at ``at_us`` of the run. Several threads may ask.
    """

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.befallen = 0
        self.frame: int | None = None
        self.at_us: int | None = None
        self._lock = Lock()

    def fires(self, frame: int, at_us: int) -> bool:
        """It befalls this frame, which is there at an instant of the run."""
        fault = self.fault
        early = at_us < (fault.at_us or 0) if fault.frame is None else frame < fault.frame
        with self._lock:
            if early or self.befallen == fault.frames:
                return False
            self.befallen += 1
            if self.frame is None:
                self.frame, self.at_us = frame, at_us
        return True

    def part(self) -> FaultPart:
        """As the manifest holds it: what was asked, and the first frame that it befell; null when it did none."""
        part = {
            **self.fault.asked,
            "stream": self.fault.stream,
            "began_frame": self.frame,
            "began_ms": None if self.at_us is None else self.at_us / 1000,
            "befallen": self.befallen,
        }
        return cast(FaultPart, part)
