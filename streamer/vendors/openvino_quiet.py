"""OpenVINO, imported so that it neither uses the network nor writes into the user's home.

The import of ``openvino`` sends an event to an analytics service and leaves ``~/intel`` behind, through its
dependency ``openvino_telemetry``. When that cannot be imported, OpenVINO uses a stub of its own.
"""

from __future__ import annotations

import sys

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

__all__ = ["apply_moc_transformations", "ov"]
