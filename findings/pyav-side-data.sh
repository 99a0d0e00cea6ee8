#!/bin/sh
# A camera may put its clock into the H.264 stream as user data (SEI) of each frame.
# PyAV gives the user data in frame.side_data.
# One would guess that a loop over side_data gives all entries, as in PyAV 18.1.0.
# In PyAV 19.0.2 the loop gives their types instead, each type once.
# side_data["SEI_UNREGISTERED"] and values() give only the last entry of a type.
# len(side_data) is 1 here, yet side_data[0], [1] and [2] exist.
# It matters to whoever reads clocks from a camera: x264 adds an entry of its own,
# and cameras add several, so a reader of one entry can miss the clock in silence.
# Seen:
#   PyAV 18.1.0 loop: 3 x SideData, len 3
#   PyAV 19.0.2 loop: 1 x Type, len 1
#   both: [0..2]: x264 -, clock 1, clock 2; by name: clock 2
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
import av, sys, uuid
from fractions import Fraction

encoder = av.CodecContext.create("libx264", "w")
encoder.width = encoder.height = 64
encoder.pix_fmt, encoder.time_base, encoder.framerate = "yuv420p", Fraction(1, 30), 30
frame = av.VideoFrame(64, 64, "yuv420p")
for plane in frame.planes:
    plane.update(bytes([128]) * plane.buffer_size)
frame.pts = 0
data = b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])

def sei(text):
    payload = uuid.UUID(hex="11" * 16).bytes + text
    return b"\0\0\0\1\6\5" + bytes([len(payload)]) + payload + b"\x80"

cut = data.index(b"\0\0\1\x65")  # the picture itself
data = data[:cut] + sei(b"clock 1") + sei(b"clock 2") + data[cut:]
decoder = av.CodecContext.create("h264", "r")
frames = [f for packet in [*decoder.parse(data), *decoder.parse(None)] for f in decoder.decode(packet)]
frames += decoder.decode(None)
side = frames[0].side_data
kinds = [type(item).__name__ for item in side]
texts = [bytes(side[i])[16:23].decode() for i in range(3)]
by_name = bytes(side["SEI_UNREGISTERED"])[16:].decode()
print("PyAV", av.__version__, f"loop: {len(kinds)} x {kinds[0]}, len {len(side)};",
      "[0..2]:", ", ".join(texts) + "; by name:", by_name)
assert texts[1:] == ["clock 1", "clock 2"] and by_name == "clock 2"
sys.exit((kinds, len(side)) != ((["SideData"] * 3, 3) if av.__version__ == "18.1.0" else (["Type"], 1)))
EOF
venv/bin/pip install -q --disable-pip-version-check av==18.1.0
venv/bin/python -I t.py
venv/bin/pip install -q --disable-pip-version-check av==19.0.2
venv/bin/python -I t.py
