#!/bin/sh
# OpenCV's CAP_PROP_POS_FRAMES seeks a frame of a video by its number.
# One would guess that frame N is the one that the N-th read gives, or that seeking is refused.
# With two key frames and times that are not even, other frames come, as if they were right.
# OpenCV lands on a key frame, and takes its time, times the mean rate, for its number.
# The same pictures at the same times with one key frame are all found.
# It matters to whoever looks at what a camera's recording shows at a frame of a log.
# Seen with OpenCV 5.0.0.93 (4.13.0.92 does the same), of 100 frames:
#   one key frame: 0 wrong
#   a key frame every 30: 46 wrong, the first: asked for 54, got 46
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
cat > t.py <<'PY'
from fractions import Fraction
from itertools import accumulate

import av
import cv2
import numpy as np

FRAMES = 100
# Pictures that come at 18 a second first, and then at 30, in ticks of 1/90000 s.
TICKS = list(accumulate([1500, 9000, 3000, 6000] * 12 + [3000] * 51, initial=0))[:FRAMES]


def write(name, key_frame_every):
    """Each picture is as bright as its number says."""
    with av.open(name, "w", options={"video_track_timescale": "90000"}) as out:
        stream = out.add_stream("libx264", rate=30, options={"bf": "0", "sc_threshold": "0", "crf": "1"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 90_000)
        stream.codec_context.gop_size = key_frame_every
        for number, tick in enumerate(TICKS):
            picture = np.full((48, 64, 3), 20 + 2 * number, np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = tick, Fraction(1, 90_000)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return name


def brightness(capture):
    came, picture = capture.read()
    assert came
    return float(picture.mean())


def wrong(name):
    """For each number the frame that comes, where it is another one."""
    capture = cv2.VideoCapture(name, cv2.CAP_FFMPEG)
    known = [brightness(capture) for _ in range(FRAMES)]
    assert known == sorted(known) and len(set(known)) == FRAMES
    found = []
    for number in range(FRAMES):
        assert capture.set(cv2.CAP_PROP_POS_FRAMES, number)
        came = brightness(capture)
        got = min(range(FRAMES), key=lambda one: abs(known[one] - came))
        if got != number:
            found.append((number, got))
    return found


print("OpenCV", cv2.__version__)
right = wrong(write("one.mp4", FRAMES))
print(f"one key frame: {len(right)} wrong")
assert not right
other = wrong(write("several.mp4", 30))
print(f"a key frame every 30: {len(other)} wrong, the first: asked for {other[0][0]}, got {other[0][1]}")
assert len(other) > FRAMES // 3
PY
for version in 4.13.0.92 5.0.0.93; do
    venv/bin/pip install -q --disable-pip-version-check av==19.0.2 opencv-python-headless==$version
    venv/bin/python -I t.py
done
