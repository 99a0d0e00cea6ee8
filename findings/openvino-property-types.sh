#!/bin/sh
# PERF_COUNT says whether OpenVINO measures each layer; it is off by default.
# One would guess that get_property("PERF_COUNT") is False then, on all devices.
# A model compiled for CPU answers 'NO', a string, and this string is true.
# The same model compiled for AUTO answers False, and so does core.get_property("CPU", ...).
# PERFORMANCE_HINT is the string 'LATENCY' on CPU and PerformanceMode.LATENCY on AUTO.
# Comparing it with PerformanceMode.LATENCY is False on CPU, where it is the case.
# It matters to whoever stores the settings of a measurement, or checks them with `if`.
# `if compiled.get_property("PERF_COUNT")` is always true on CPU.
# Seen with OpenVINO 2026.4.1 (2025.4.1 does the same):
#   core, CPU:      PERF_COUNT False  PERFORMANCE_HINT <PerformanceMode.LATENCY: 1>
#   compiled, CPU:  PERF_COUNT 'NO'   PERFORMANCE_HINT 'LATENCY'
#   compiled, AUTO: PERF_COUNT False  PERFORMANCE_HINT <PerformanceMode.LATENCY: 1>
set -eu
py=
for p in python3.13 python3.12 "${PYENV_ROOT:-${HOME:-}/.pyenv}"/versions/3.13*/bin/python3 \
    "${PYENV_ROOT:-${HOME:-}/.pyenv}"/versions/3.12*/bin/python3 python3; do
    if "$p" -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; then py=$p; break; fi
done
[ -n "$py" ] || { echo "This script needs Python 3.12 or later." >&2; exit 2; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM
cd "$dir"
"$py" -m venv venv
venv/bin/pip install -q --disable-pip-version-check openvino==2026.4.1

venv/bin/python -I - <<'EOF'
import sys
sys.modules["openvino_telemetry"] = None  # nothing is sent
import numpy as np
import openvino as ov
from openvino import opset13 as ops

core = ov.Core()
from openvino.properties.hint import PerformanceMode

data = ops.parameter([1, 4], np.float32)
model = ov.Model([ops.relu(data)], [data], "m")
rows = {"core, CPU": lambda key: core.get_property("CPU", key)}
for device in ("CPU", "AUTO"):
    rows["compiled, " + device] = core.compile_model(model, device).get_property
print("OpenVINO", ov.__version__)
seen = {}
for name, get in rows.items():
    seen[name] = get("PERF_COUNT"), get("PERFORMANCE_HINT")
    print("%s: PERF_COUNT %r  PERFORMANCE_HINT %r" % (name, *seen[name]))
assert seen["core, CPU"] == seen["compiled, AUTO"] == (False, PerformanceMode.LATENCY)
assert seen["compiled, CPU"] == ("NO", "LATENCY") and seen["compiled, CPU"][1] != PerformanceMode.LATENCY
EOF
