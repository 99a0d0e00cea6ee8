"""OpenVINO, imported so that it neither touches the network nor writes into the user's home.

Merely importing ``openvino`` sends an event to an analytics service and leaves ``~/intel`` behind, if the package
``openvino_telemetry`` is there, which it depends on. Where that cannot be imported, it takes a stub of its own.
"""

from __future__ import annotations

import sys

if "openvino" in sys.modules or "openvino_telemetry" in sys.modules:
    import openvino as ov
else:
    # None makes Python say that there is no such module.
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    try:
        import openvino as ov
    finally:
        del sys.modules["openvino_telemetry"]

from openvino._offline_transformations import apply_moc_transformations

__all__ = ["apply_moc_transformations", "ov"]
