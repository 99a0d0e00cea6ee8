"""OpenVINO, imported so that it neither uses the network nor writes into the user's home.

The import of ``openvino`` sends an event to an analytics service and leaves ``~/intel`` behind, through its
dependency ``openvino_telemetry``. When that cannot be imported, OpenVINO uses a stub of its own.
"""

from __future__ import annotations

import sys
from threading import Lock

if "openvino" in sys.modules or "openvino_telemetry" in sys.modules:
    import openvino as ov
else:
    # None makes the import fail.
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    try:
        import openvino as ov
    finally:
        del sys.modules["openvino_telemetry"]

from openvino._offline_transformations import apply_moc_transformations

__all__ = ["apply_moc_transformations", "core", "ov"]

_lock = Lock()
_core: ov.Core | None = None


def core() -> ov.Core:
    """The one Core of this process, made when it is first needed, and kept to the end.

    The CPU plugin of a Core gives the thread that loads it a stack for signals. When the Core goes, it gives back the
    one before. Of several Cores, or with another thread, that is not the right one, and a signal ends the process.
    """
    global _core
    with _lock:
        if _core is None:
            _core = ov.Core()
        return _core
