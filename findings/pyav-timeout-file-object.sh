#!/bin/sh
# av.open takes an address or a Python object with read(), and a timeout.
# Its documentation: "How many seconds to wait for data before giving up".
# One would guess that the timeout holds for both.
# For a Python object it is ignored: no error comes, however long read() takes.
# It matters to a camera that is read through a pipe, a socket or a serial line of one's
# own: a stalled camera holds the program for ever, in spite of the timeout.
# Seen with PyAV 19.0.2 (18.1.0 does the same):
#   timeout 0.1 s, read() takes 0.6 s each: opened and read 10 frames in 2.4 s, no error
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
import av, io, time

store = io.BytesIO()
with av.open(store, "w", format="matroska") as out:
    stream = out.add_stream("mpeg4", rate=30)
    stream.width = stream.height = 64
    for pts in range(10):
        frame = av.VideoFrame(64, 64, "yuv420p")
        frame.pts = pts
        out.mux(stream.encode(frame))
    out.mux(stream.encode(None))

class SlowCamera:
    def __init__(self, data):
        self.data = io.BytesIO(data)

    def read(self, size):
        time.sleep(0.6)
        return self.data.read(size)

start = time.monotonic()
with av.open(SlowCamera(store.getvalue()), timeout=0.1) as box:
    count = sum(1 for _ in box.decode(video=0))
took = time.monotonic() - start
print("PyAV", av.__version__)
print(f"timeout 0.1 s, read() takes 0.6 s each: opened and read {count} frames in {took:.1f} s, no error")
assert count == 10 and took > 0.5
EOF
