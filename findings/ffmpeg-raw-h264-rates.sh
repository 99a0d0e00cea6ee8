#!/bin/sh
# Many cameras and encoders give a bare H.264 stream, without a container.
# Its header may state the rate, here 60 per second.
# One would guess that average_rate, "the average frame rate of this video stream", is 60.
# average_rate is 25, the reader's default; guessed_rate of the same stream is 60.
# pts and time of all frames are None, so the times cannot settle it.
# It matters to whoever takes average_rate for the camera's rate, as most examples do.
# The age of a frame, counted in frame periods, is then wrong by a factor of 2.4.
# Seen with PyAV 19.0.2 (18.1.0 does the same):
#   raw H.264 at 60/s: average_rate 25/1, guessed_rate 60/1, pts [None, None]
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
import av

with av.open("a.h264", "w", format="h264") as out:
    stream = out.add_stream("libx264", rate=60)
    stream.width = stream.height = 64
    for pts in range(60):
        frame = av.VideoFrame(64, 64, "yuv420p")
        frame.pts = pts
        out.mux(stream.encode(frame))
    out.mux(stream.encode(None))
with av.open("a.h264") as box:
    stream = box.streams.video[0]
    average, guessed, pts = stream.average_rate, stream.guessed_rate, [f.pts for f in box.decode(video=0)]
print("PyAV", av.__version__)
print(f"raw H.264 at 60/s: average_rate {average}, guessed_rate {guessed}, pts {pts[:2]}")
assert average == 25 and guessed == 60 and set(pts) == {None}
EOF
