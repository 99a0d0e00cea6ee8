#!/bin/sh
# A decoder holds back the last frames; codec_context.decode(None) hands them out.
# One would guess that these frames know their time as the others do.
# In PyAV 18.1.0 their pts is right, but time_base is None and time is nan.
# In PyAV 19.0.2 they have both.
# It matters to whoever computes an age from frame.time.
# The last frames of each stream (two here) turn the mean and the maximum into nan.
# demux() ends with an empty packet; decoding that packet does keep the time base.
# Seen:
#   PyAV 18.1.0 frames 30, held back: [(14336, None, nan), (14848, None, nan)]
#   PyAV 19.0.2 frames 30, held back: [(14336, AVRational(1, 15360), 0.933...), ...]
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
cat > t.py <<'EOF'
import av, math, sys

with av.open("a.mp4", "w") as out:
    stream = out.add_stream("libx264", rate=30)
    stream.width = stream.height = 64
    for pts in range(30):
        frame = av.VideoFrame(64, 64, "yuv420p")
        frame.pts = pts
        out.mux(stream.encode(frame))
    out.mux(stream.encode(None))

with av.open("a.mp4") as box:
    stream = box.streams.video[0]
    first = [f for packet in box.demux(stream) if packet.size for f in stream.codec_context.decode(packet)]
    held = stream.codec_context.decode(None)
    print("PyAV", av.__version__, "frames %d," % len(first + held),
          "held back:", [(f.pts, f.time_base, f.time) for f in held])
assert held and len(first + held) == 30
assert all(f.time is not None and math.isfinite(f.time) for f in first)
lost = [f.time_base is None and math.isnan(f.time) for f in held]
sys.exit(not all(lost) if av.__version__ == "18.1.0" else any(lost))
EOF
venv/bin/pip install -q --disable-pip-version-check av==18.1.0
venv/bin/python -I t.py
venv/bin/pip install -q --disable-pip-version-check av==19.0.2
venv/bin/python -I t.py
