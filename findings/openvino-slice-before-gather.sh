#!/bin/sh
# A graph slices the first 4 of 6 columns, and GatherElements picks 3 rows of them.
# read_model() or a Model of it passes, so one would guess that it compiles.
# It does not: a slice that begins at 0 is dropped on the way, and the gather is then
# refused because its data have 6 columns and its indices 4. The CPU and AUTO do so.
# The same slice one column further on is kept, compiles, and gives the right values.
# It matters to whoever exports end-to-end detectors that slice one tensor into boxes,
# scores and the rest, and gather each by the indices of the best scores:
# Ultralytics 8.4.190 exports the poses of YOLO26 so. ONNX Runtime runs that file.
# Seen with OpenVINO 2026.4.1 and 2025.4.1 (2025.1.0, 2026.0.0 and 2026.2.1 too):
#   columns 0 to 4: Shapes [1,8,6] and [1,3,4] are not consistent
#   columns 1 to 5: [[43.0, 44.0, 45.0, 46.0], ...], as NumPy has it
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

cat >slices.py <<'EOF'
import sys
sys.modules["openvino_telemetry"] = None  # nothing is sent
import numpy as np
import openvino as ov
from openvino import opset13 as ops

core = ov.Core()
DATA = np.arange(48, dtype=np.float32).reshape(1, 8, 6)
ROWS = np.array([[[7], [0], [3]]])

def gathered(first, last, device):
    """Columns first to last of three rows; the message when it cannot be compiled."""
    data, rows = ops.parameter([1, 8, 6], np.float32), ops.parameter([1, 3, 1], np.int64)
    columns = ops.slice(data, [first], [last], [1], [2])
    indices = ops.broadcast(rows, np.array([1, 3, last - first]))
    model = ov.Model([ops.gather_elements(columns, indices, 1)], [data, rows], "m")
    assert model.outputs[0].shape == ov.Shape([1, 3, last - first])  # so far it is consistent
    try:
        compiled = core.compile_model(model, device)
    except RuntimeError as error:
        return " ".join(str(error).split())
    return compiled([DATA, ROWS])[0].tolist()

print("OpenVINO", ov.__version__)
for device in ("CPU", "AUTO"):
    found = {first: gathered(first, first + 4, device) for first in (0, 1)}
    print(device, found[0][-170:], found[1], sep="\n  ")
    assert "[1,8,6] and [1,3,4] are not consistent" in found[0]
    assert found[1] == DATA[:, ROWS[0, :, 0], 1:5].tolist()
EOF
for version in 2025.4.1 2026.4.1; do
    venv/bin/pip install -q --disable-pip-version-check openvino==$version
    venv/bin/python -I slices.py
done
