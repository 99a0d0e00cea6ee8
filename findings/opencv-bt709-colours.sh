#!/bin/sh
# Many HD cameras mark their H.264 stream as BT.709, the colour matrix of HD.
# One would guess that one file gives the same pixels in OpenCV 4.12 and 4.13.
# OpenCV 4.12 ignores the mark and always uses BT.601; 4.13 obeys it.
# A pure green so is (8, 255, 19) in 4.12 and (0, 254, 0) in 4.13, as BGR.
# A stream without a mark is still read as BT.601, whatever its size.
# It matters to thresholds on colours and to the scores of a model.
# They move when OpenCV is upgraded, and more for one camera than for another.
# Seen (opencv-python-headless, file made by PyAV 19.0.2, Y U V = 173 42 26):
#   4.12.0 marked BT.709 [8, 255, 19], without a mark [8, 255, 19]
#   4.13.0 marked BT.709 [0, 254, 0], without a mark [8, 255, 19]
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
venv/bin/pip install -q --disable-pip-version-check av==19.0.2 opencv-python-headless==4.12.0.88

cat > make.py <<'EOF'
import av
for name, mark in ("marked.mp4", 1), ("plain.mp4", 2):  # 1 is BT.709, 2 is "unknown"
    with av.open(name, "w") as out:
        stream = out.add_stream("libx264", rate=25, options={"crf": "0"})
        stream.width, stream.height = 640, 480
        stream.codec_context.colorspace = mark
        for pts in range(5):
            frame = av.VideoFrame(640, 480, "yuv420p")
            for plane, value in zip(frame.planes, (173, 42, 26)):
                plane.update(bytes([value]) * plane.buffer_size)
            frame.colorspace, frame.pts = mark, pts
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
EOF
cat > t.py <<'EOF'
import cv2, sys
marked, plain = (cv2.VideoCapture(name, cv2.CAP_FFMPEG).read()[1][240, 320].tolist()
                 for name in ("marked.mp4", "plain.mp4"))
print("OpenCV", cv2.__version__, f"marked BT.709 {marked}, without a mark {plain}")
same = max(abs(a - b) for a, b in zip(marked, plain)) < 4
sys.exit(same != (cv2.__version__ == "4.12.0"))
EOF
venv/bin/python -I make.py
venv/bin/python -I t.py
venv/bin/pip install -q --disable-pip-version-check opencv-python-headless==4.13.0.92
venv/bin/python -I t.py
