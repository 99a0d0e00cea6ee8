#!/bin/sh
# VideoCapture.get() of a property that the source lacks was 0.0 in OpenCV 4.
# The documentation of OpenCV 4 says so, and `if camera.get(...)` is a usual test.
# One would guess that 5.0 keeps this, or raises.
# OpenCV 5.0 returns -1.0, which is true, and no exception.
# A file has no exposure and no buffer size: both change from 0.0 to -1.0.
# A number that is no property at all, 9999, is -1.0 as well.
# It matters to whoever stores camera settings, or gives them back with set().
# Each test for "is it supported?" turns round, and -1 is a sensible-looking exposure.
# Seen with opencv-python-headless, a file through FFmpeg (exposure, buffer size, 9999):
#   4.13.0 [0.0, 0.0, 0.0]
#   5.0.0 [-1.0, -1.0, -1.0]
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
import cv2, sys
import numpy as np

writer = cv2.VideoWriter("a.avi", cv2.CAP_FFMPEG, cv2.VideoWriter_fourcc(*"MJPG"), 25, (64, 48))
for grey in range(5):
    writer.write(np.full((48, 64, 3), 20 * grey, np.uint8))
writer.release()
camera = cv2.VideoCapture("a.avi", cv2.CAP_FFMPEG)
assert camera.read()[0] and camera.get(cv2.CAP_PROP_FPS) == 25
values = [camera.get(key) for key in (cv2.CAP_PROP_EXPOSURE, cv2.CAP_PROP_BUFFERSIZE, 9999)]
print("OpenCV", cv2.__version__, values)
sys.exit(set(values) != {0.0 if cv2.__version__ == "4.13.0" else -1.0})
EOF
venv/bin/pip install -q --disable-pip-version-check opencv-python-headless==4.13.0.92
venv/bin/python -I t.py
venv/bin/pip install -q --disable-pip-version-check opencv-python-headless==5.0.0.93
venv/bin/python -I t.py
