#!/bin/sh
# An MPEG transport stream over a bad link lacks a packet in the middle of one frame.
# One would guess that `is_corrupt` of the packet that holds this frame is True.
# FFmpeg's parser cuts the frames only when the next one begins, and puts the mark on the frame before.
# So a whole frame is called corrupt, and the hurt one is not, unless its decoder complains.
# It matters to whoever drops or counts frames by that mark: always one too early.
# Seen with PyAV 19.0.2, a packet of frame 4 removed:
#   libx264     marked [3]
#   mpeg2video  marked [3]
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
import av

def write(name, codec):
    noise = random.Random(1)
    with av.open(name, "w") as box:
        video = box.add_stream(codec, rate=25, options={"bf": "0"})
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        for _ in range(10):
            frame = av.VideoFrame(64, 48, "yuv420p")
            for plane in frame.planes:
                plane.update(noise.randbytes(plane.buffer_size))
            box.mux(video.encode(frame))
        box.mux(video.encode(None))
    with open(name, "rb") as file:
        return file.read()

def frames(data, pid=256):
    """Where the packets of each frame of the video begin."""
    found = []
    for at in range(0, len(data), 188):
        if (data[at + 1] & 0x1F) << 8 | data[at + 2] == pid:
            if data[at + 1] & 0x40:
                found.append([])
            found[-1].append(at)
    return found

print("PyAV", av.__version__)
marked = {}
for codec in ("libx264", "mpeg2video"):
    data = write("whole.ts", codec)
    hole = frames(data)[4][2]
    with open("hole.ts", "wb") as file:
        file.write(data[:hole] + data[hole + 188 :])
    with av.open("hole.ts") as box:
        packets = [packet for packet in box.demux(video=0) if packet.size]
    marked[codec] = [number for number, packet in enumerate(packets) if packet.is_corrupt]
    print(f"{codec:11} marked {marked[codec]}")
sys.exit(marked != {"libx264": [3], "mpeg2video": [3]})
EOF
