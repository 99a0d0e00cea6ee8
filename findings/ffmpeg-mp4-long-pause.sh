#!/bin/sh
# FFmpeg writes frames with times into an MP4, whose clock may tick in microseconds.
# One would guess that a pause of 36 minutes stays one, or that writing it is an error.
# From a pause of 2^31 - 1 ticks on, which is 35.8 minutes, it is one tick long, and so is
# every interval after it: the rest of the video passes in microseconds.
# Nothing is raised; FFmpeg logs "Packet duration ... is out of range", which PyAV hides.
# It matters to a recorder of a camera that was away for a while: the film looks whole.
# A tick less is kept. At 1/90000 s it takes 6.6 hours, at a millisecond 24.9 days.
# Seen with PyAV 19.0.2 (18.1.0 does the same):
#   pause 2147483646: 0, 100000, 2147583646, 2147683646, 2147783646
#   pause 2147483647: 0, 100000, 100001, 100002, 100003
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

venv/bin/python -I - <<'PY'
import io
from fractions import Fraction

import av


def times(pause):
    """When the frames come, as they are read back."""
    given = [0, 100_000, 100_000 + pause, 200_000 + pause, 300_000 + pause]
    file = io.BytesIO()
    with av.open(file, "w", format="mp4", options={"video_track_timescale": "1000000"}) as out:
        stream = out.add_stream("libx264", rate=10, options={"tune": "zerolatency"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1_000_000)
        for pts in given:
            frame = av.VideoFrame(64, 48, "yuv420p")
            frame.pts, frame.time_base = pts, Fraction(1, 1_000_000)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    file.seek(0)
    with av.open(file) as back:
        return given, [packet.pts for packet in back.demux(video=0) if packet.size]


print("PyAV", av.__version__)
longest = 2**31 - 2
given, kept = times(longest)
print(f"pause {longest}: {', '.join(map(str, kept))}")
assert kept == given
_, lost = times(longest + 1)
print(f"pause {longest + 1}: {', '.join(map(str, lost))}")
assert lost == [0, 100_000, 100_001, 100_002, 100_003]
PY
