#!/bin/sh
# INFERENCE_PRECISION_HINT says in which type OpenVINO computes: f32, f16 or bf16.
# One would guess that a value that is none of these is refused, as 2026.4.1 does.
# OpenVINO 2025.4.1 takes "f7" without an error and reads it as "dynamic".
# It does the same to "float32", though it prints f32 itself as <Type: 'float32'>.
# So the value read from one program and given to the next is dropped in silence.
# It matters to whoever compares the latency of precisions on 2025 releases.
# The run that is named "float32" is no f32 run, and an upgrade turns it into an error.
# Seen on the CPU device:
#   2025.4.1 f32 -> f32, float32 -> dynamic, f7 -> dynamic
#   2026.4.1 f32 -> f32, float32 -> refused, f7 -> refused
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
cat > t.py <<'EOF'
import sys
sys.modules["openvino_telemetry"] = None  # nothing is sent
import numpy as np
import openvino as ov
from openvino import opset13 as ops

core = ov.Core()

data = ops.parameter([1, 4], np.float32)
model = ov.Model([ops.relu(data)], [data], "m")

def hint(value):
    try:
        compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": value})
        return compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
    except RuntimeError as error:
        assert "Wrong value" in str(error), error
        return "refused"

seen = {value: hint(value) for value in ("f32", "float32", "f7")}
print("OpenVINO", ov.__version__, ", ".join(f"{k} -> {v}" for k, v in seen.items()))
other = "dynamic" if ov.__version__.startswith("2025.4.1") else "refused"
sys.exit(seen != {"f32": seen["f32"], "float32": other, "f7": other} or seen["f32"] == other)
EOF
venv/bin/pip install -q --disable-pip-version-check openvino==2025.4.1
venv/bin/python -I t.py
venv/bin/pip install -q --disable-pip-version-check openvino==2026.4.1
venv/bin/python -I t.py
