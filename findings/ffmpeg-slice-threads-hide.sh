#!/bin/sh
# An H.264 camera sends each frame in four slices, and a part of one frame is lost.
# One would guess that the frame is marked, whatever the number of threads: `is_corrupt` is there for that.
# With thread_type SLICE and more than one thread the decoder paints over the hole and marks nothing.
# With one thread, or with frame threads, it marks the frame; of frames in one slice it always does.
# It matters to whoever counts damaged frames, and takes slice threads because they hold no frame back.
# Seen with PyAV 19.0.2, half of frame 3 removed, frames marked:
#   1 slice   SLICE x1 [3]  SLICE x2 [3]  FRAME x2 [3]
#   4 slices  SLICE x1 [3]  SLICE x2 []   FRAME x2 [3]
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
import random, sys
from fractions import Fraction
import av

def packets(slices):
    noise = random.Random(1)
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 128, 96, "yuv420p"
    encoder.time_base = Fraction(1, 25)
    encoder.options = {"x264-params": f"slices={slices}:bframes=0:log-level=0"}
    found = []
    for _ in range(5):
        frame = av.VideoFrame(128, 96, "yuv420p")
        for plane in frame.planes:
            plane.update(noise.randbytes(plane.buffer_size))
        found += [bytes(packet) for packet in encoder.encode(frame)]
    return found + [bytes(packet) for packet in encoder.encode(None)]

def marked(data, kind, threads):
    decoder = av.CodecContext.create("h264", "r")
    decoder.thread_type, decoder.thread_count = kind, threads
    frames = []
    for number, packet in enumerate(data):
        frames += decoder.decode(av.Packet(packet[: len(packet) // 2] if number == 3 else packet))
    return [number for number, frame in enumerate(frames + decoder.decode(None)) if frame.is_corrupt]

print("PyAV", av.__version__)
found = {}
for slices in (1, 4):
    data = packets(slices)
    for kind, threads in (("SLICE", 1), ("SLICE", 2), ("FRAME", 2)):
        found[slices, kind, threads] = marked(data, kind, threads)
        print(slices, "slices", kind, threads, "marked", found[slices, kind, threads])
hidden = (4, "SLICE", 2)
sys.exit(not (found[hidden] == [] and all(numbers == [3] for key, numbers in found.items() if key != hidden)))
EOF
