#!/bin/sh
# A model with preprocessing inside often takes the camera's bytes (u8) as they are.
# One would guess that OpenVINO refuses a float array for a u8 input, as ONNX Runtime does.
# It casts the array: a picture scaled to 0..1 becomes all zeros, with no warning.
# 300 becomes 44 and -1 becomes 255, as in C.
# The same array wrapped in openvino.Tensor is refused, so the check exists.
# It matters to whoever swaps models: the speed is right and the results are garbage.
# Seen with OpenVINO 2026.4.1:
#   float [0.2, 0.9, 0.5, 1.0] into u8: [0, 0, 0, 1], warnings: 0
#   int [300, -1, 256, 7] into u8: [44, 255, 0, 7], warnings: 0
#   openvino.Tensor of the floats: refused
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
import warnings
import sys
sys.modules["openvino_telemetry"] = None  # nothing is sent
import numpy as np
import openvino as ov
from openvino import opset13 as ops

core = ov.Core()

data = ops.parameter([1, 4], np.uint8)
compiled = core.compile_model(ov.Model([ops.convert(data, "f32")], [data], "m"), "CPU")
request = compiled.create_infer_request()
print("OpenVINO", ov.__version__)
floats = np.array([[0.2, 0.9, 0.5, 1.0]], np.float32)
ints = np.array([[300, -1, 256, 7]], np.int64)
for name, array, expected in (("float", floats, [0, 0, 0, 1]), ("int", ints, [44, 255, 0, 7])):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        results = [run(array)[0][0].astype(int).tolist() for run in (compiled, request.infer)]
    print(f"{name} {array[0].tolist()} into u8: {results[0]}, warnings: {len(said)}")
    assert results == [expected, expected] and not said
try:
    request.infer([ov.Tensor(floats)])
    sys.exit("a Tensor is taken now")
except RuntimeError:
    print("openvino.Tensor of the floats: refused")
EOF
