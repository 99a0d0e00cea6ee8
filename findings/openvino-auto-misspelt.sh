#!/bin/sh
# compile_model(model, "CPU", {"NUM_STREAM": "1"}) is refused: the key lacks an S.
# One would guess that AUTO, which runs on the same CPU, refuses it as well.
# AUTO, MULTI:CPU and HETERO:CPU take the wrong key and say nothing.
# A wrong value of a known key is refused on AUTO too.
# Its message about that ends in a line that is only ";".
# It matters to whoever tunes on CPU and deploys on AUTO, or the other way round.
# On AUTO a misspelt thread or stream count leaves the default, and the figures too.
# A log that keeps the last line of the message keeps ";".
# Seen with OpenVINO 2026.4.1 (AUTO of 2025.4.1 takes wrong keys too):
#   CPU: refused, AUTO: taken, MULTI:CPU: taken, HETERO:CPU: taken
#   last line of the message, CPU: "Wrong value f7 for property key ...", AUTO: ";"
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

data = ops.parameter([1, 4], np.float32)
model = ov.Model([ops.relu(data)], [data], "m")

def fault(device, key, value):
    try:
        core.compile_model(model, device, {key: value})
        return None
    except RuntimeError as error:
        return str(error).strip()

print("OpenVINO", ov.__version__)
for key in ("NUM_STREAM", "INFERENCE_PRECISON_HINT"):
    found = {device: fault(device, key, "1") for device in ("CPU", "AUTO", "MULTI:CPU", "HETERO:CPU")}
    print(key, ", ".join(f"{d}: {'refused' if f else 'taken'}" for d, f in found.items()))
    assert found.pop("CPU") and not any(found.values())
last = {d: fault(d, "INFERENCE_PRECISION_HINT", "f7").splitlines()[-1] for d in ("CPU", "AUTO")}
print("last line of the message:", last)
assert "Wrong value f7" in last["CPU"] and last["AUTO"].strip() == ";"
EOF
