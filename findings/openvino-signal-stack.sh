#!/bin/sh
# A model is compiled for the CPU; nothing is inferred, and no signal comes.
# One would guess that the thread that did so is as it was before.
# It is not: its alternate stack for signals is another one now, of OpenVINO's own, even
# where the thread had one already, as faulthandler makes it. It is given back when the
# last user of that Core has gone. The other threads are left as they are.
# It matters to whoever debugs signals in such a program, and to whoever keeps several
# Cores: each gives back the stack that it has found. One Core for a process is enough.
# Seen with OpenVINO 2026.4.1 and 2025.4.1 on Linux, on a Xeon with AMX:
#   before: faulthandler's; compiled: another; other thread: none; gone: faulthandler's;
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

cat >stack.py <<'EOF'
import sys
sys.modules["openvino_telemetry"] = None  # nothing is sent
import ctypes
import faulthandler
from concurrent.futures import ThreadPoolExecutor
import numpy as np
import openvino as ov
from openvino import opset13 as ops

class Stack(ctypes.Structure):
    _fields_ = [("begin", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t)]

def stack():
    """Where the alternate signal stack of this thread begins; None where it has none."""
    found = Stack()
    assert ctypes.CDLL(None).sigaltstack(None, ctypes.byref(found)) == 0
    return found.begin

def compiled():
    x = ops.parameter([1, 3], np.float32)
    core = ov.Core()
    return core, core.compile_model(ov.Model([ops.relu(x)], [x], "m"), "CPU")

other = ThreadPoolExecutor(1)
assert other.submit(stack).result() is None
faulthandler.enable()
before = stack()
assert before is not None
used = compiled()
during, of_other = stack(), other.submit(stack).result()
del used
after = stack()
names = {before: "faulthandler's", None: "none"}
print("OpenVINO", ov.__version__)
for when, found in [("before", before), ("compiled", during), ("other thread", of_other), ("gone", after)]:
    print(f"{when}: {names.get(found, 'another')}", end="; ")
print()
assert during not in (before, None)
assert of_other is None
assert after == before
EOF
for version in 2025.4.1 2026.4.1; do
    venv/bin/pip install -q --disable-pip-version-check openvino==$version
    venv/bin/python -I stack.py
done
