"""The trigger of a fault: it waits for its frame or its time, and counts the frames at which it fired."""

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
    befallen: int | None
    """At how many frames it was injected. Null in a repaired run, in which it is not known."""


class Trigger:
    """Waits for the instant of a ``fault``, and then fires at as many frames as the fault has.

    ``injected`` counts them. The first was ``frame``, at ``at_us`` of the run; both are None before. Any thread may
    call `fires`.
    """

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.injected = 0
        self.frame: int | None = None
        self.at_us: int | None = None
        self._lock = Lock()

    def fires(self, frame: int, at_us: int) -> bool:
        """Whether the fault is injected at this frame, which is there at ``at_us`` of the run; counts it if so."""
        fault = self.fault
        early = at_us < (fault.at_us or 0) if fault.frame is None else frame < fault.frame
        with self._lock:
            if early or self.injected == fault.frames:
                return False
            self.injected += 1
            if self.frame is None:
                self.frame, self.at_us = frame, at_us
        return True

    def part(self) -> FaultPart:
        """The fault as the manifest holds it."""
        part = {
            **self.fault.requested,
            "stream": self.fault.stream,
            "began_frame": self.frame,
            "began_ms": None if self.at_us is None else self.at_us / 1000,
            "befallen": self.injected,
        }
        return cast(FaultPart, part)
