#!/bin/sh
# A recording whose streams change in the middle: two MPEG transport streams with other PIDs, one behind the other.
# FFmpeg gives the second video as a stream that was not there when the file was opened.
# One would guess that PyAV adds it to container.streams, or that demux() raises an error of FFmpeg's for it.
# PyAV 18 raises IndexError in the middle of demux(), which is no FFmpegError: a loop that is ready for damaged files dies
# of a whole one. PyAV 19 says nothing: demux(), of all streams too, ends after the first half.
# It matters to whoever counts frames: half of the recording is missing, and no exception or field tells.
# Seen, of 50 frames and 50 more:
#   PyAV 18.1.0: 50 packets, IndexError, streams 1
#   PyAV 19.0.2: 50 packets, no error, streams 1
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
import sys
import av

def write(name, **options):
    with av.open(name, "w", container_options=options) as box:
        video = box.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        for _ in range(50):
            frame = av.VideoFrame(64, 48, "yuv420p")
            for plane in frame.planes:
                plane.update(bytes([128]) * plane.buffer_size)
            box.mux(video.encode(frame))
        box.mux(video.encode(None))
    with open(name, "rb") as file:
        return file.read()

first = write("a.ts")
second = write("b.ts", mpegts_start_pid="0x200", mpegts_pmt_start_pid="0x300")
with open("both.ts", "wb") as file:
    file.write(first + second)

packets, raised = 0, "no error"
with av.open("both.ts") as box:
    try:
        for packet in box.demux():
            packets += bool(packet.size)
    except Exception as error:
        raised = type(error).__name__
    streams = len(box.streams)
print(f"PyAV {av.__version__}: {packets} packets, {raised}, streams {streams}")
expected = "IndexError" if av.__version__.startswith("18.") else "no error"
sys.exit((packets, raised, streams) != (50, expected, 1))
EOF
for version in 18.1.0 19.0.2; do
    venv/bin/pip install -q --disable-pip-version-check av==$version
    venv/bin/python -I t.py
done
