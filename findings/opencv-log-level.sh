#!/bin/sh
# cv2.setLogLevel(0) is the usual way to silence OpenCV's warnings about cameras.
# One would guess that a minor release keeps it, or keeps it beside its successor.
# opencv-python 4.13 has no cv2.setLogLevel and no cv2.getLogLevel any more.
# They moved to cv2.utils.logging, which 4.12 does not have.
# No release has both names, so no one line works on 4.12 and 4.13.
# It matters to whoever allows a range of OpenCV versions.
# The AttributeError comes at start-up, from the line that only sets how much is logged.
# The variable OPENCV_LOG_LEVEL, set before the import, works in all of them.
# Seen with opencv-python-headless (cv2.setLogLevel, cv2.utils.logging.setLogLevel):
#   4.12.0.88 True False; 4.13.0.92 False True; 5.0.0.93 False True
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
old = hasattr(cv2, "setLogLevel"), hasattr(cv2, "getLogLevel")
new = hasattr(getattr(cv2.utils, "logging", None), "setLogLevel")
print("OpenCV", cv2.__version__, "cv2.setLogLevel:", old[0], " cv2.utils.logging.setLogLevel:", new)
expected = cv2.__version__ == "4.12.0"
sys.exit((old, new) != ((expected, expected), not expected))
EOF
for version in 4.12.0.88 4.13.0.92 5.0.0.93; do
    venv/bin/pip install -q --disable-pip-version-check opencv-python-headless==$version
    venv/bin/python -I t.py
done
