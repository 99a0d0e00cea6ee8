#!/bin/sh
# PyAV 18.1.0 says None for a rate that it does not know.
# PyAV 19 says a number instead, and one would guess that this number is 0.
# A stream from a web camera (multipart JPEG) has the rate 0/0.
# 0/0 is not None, it is not equal to 0, and it counts as more than 0.
# float() makes nan of it, and 1/rate raises ZeroDivisionError.
# A new codec context has 0/1 for the same "unknown", and 0/1 != 0/0.
# Frame.time_base is still None when it is unknown.
# It matters to every guard such as `if rate is None`, `rate == 0` or `rate > 0`.
# All three let the unknown rate of a live camera through; only `if rate:` stops it.
# Seen with PyAV 19.0.2:
#   average_rate of multipart JPEG: AVRational(0, 0), framerate of a context: AVRational(0, 1)
#   is None: False, == 0: False, > 0: True, float: nan, bool: False
set -eu
py=
for p in python3.13 python3.12 "${PYENV_ROOT:-${HOME:-}/.pyenv}"/versions/3.13*/bin/python3 \
    "${PYENV_ROOT:-${HOME:-}/.pyenv}"/versions/3.12*/bin/python3 python3; do
    if "$p" -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; then py=$p; break; fi
done
[ -n "$py" ] || { echo "This script needs Python 3.12 or later, as PyAV 19 does." >&2; exit 2; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM
cd "$dir"
"$py" -m venv venv
venv/bin/pip install -q --disable-pip-version-check av==19.0.2

venv/bin/python -I - <<'EOF'
import av, math
from fractions import Fraction

with av.open("camera.mjpeg", "w", format="mpjpeg") as out:
    stream = out.add_stream("mjpeg", rate=5)
    stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
    for pts in range(20):
        frame = av.VideoFrame(64, 48, "yuvj420p")
        frame.pts = pts
        out.mux(stream.encode(frame))
    out.mux(stream.encode(None))

with av.open("camera.mjpeg", format="mpjpeg") as box:
    rate = box.streams.video[0].average_rate
other = av.CodecContext.create("h264", "r").framerate
print("PyAV", av.__version__)
print(f"average_rate of multipart JPEG: {rate!r}, framerate of a context: {other!r}")
print(f"is None: {rate is None}, == 0: {rate == 0}, > 0: {rate > 0}, float: {float(rate)}, bool: {bool(rate)}")
assert rate is not None and not rate == 0 and rate > 0 and math.isnan(float(rate)) and not rate
assert other == 0 and other != rate
assert av.VideoFrame(16, 16, "rgb24").time_base is None
try:
    1 / rate
    raise SystemExit("1/rate works now")
except ZeroDivisionError as error:
    print("1/rate:", repr(error))
EOF
