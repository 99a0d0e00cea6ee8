#!/bin/sh
# A web camera that sends JPEG pictures over HTTP states no rate and no times.
# One would guess that a frame's pts and time are then None, or the time of arrival.
# FFmpeg numbers the frames and takes 25 per second for granted.
# So the frames of a camera at 5 frames per second are 0.04 s after each other, and guessed_rate is 25.
# It matters to whoever derives a camera's rate or an age from frame.time.
# The numbers look perfect, with no jitter at all, because they are invented.
# Seen with PyAV 19.0.2:
#   camera at 5/s: guessed_rate 25/1, frame.time [0.0, 0.04, 0.08, 0.12], really 0.2 s apart
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
import av, socket, threading, time
from fractions import Fraction

def jpeg():
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 64, 48, "yuvj420p"
    encoder.time_base = Fraction(1, 25)
    frame = av.VideoFrame(64, 48, "yuvj420p")
    for plane in frame.planes:
        plane.update(bytes([128]) * plane.buffer_size)
    return bytes([*encoder.encode(frame), *encoder.encode(None)][0])

def camera(picture, count, gap):
    """The address of a web camera that sends `count` pictures, one per `gap` seconds."""
    door = socket.create_server(("127.0.0.1", 0))
    def serve():
        peer, _ = door.accept()
        peer.recv(4096)
        peer.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=b\r\n\r\n")
        for _ in range(count):
            peer.sendall(b"--b\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(picture))
            peer.sendall(picture + b"\r\n")
            time.sleep(gap)
        peer.close()
    threading.Thread(target=serve, daemon=True).start()
    return "http://127.0.0.1:%d/" % door.getsockname()[1]

with av.open(camera(jpeg(), 12, 0.2), timeout=30) as box:
    rate, times, clock = box.streams.video[0].guessed_rate, [], []
    for frame in box.decode(video=0):
        times.append(frame.time)
        clock.append(time.monotonic())
        if len(times) == 10:
            break
gap = (clock[-1] - clock[2]) / 7
print("PyAV", av.__version__)
print(f"camera at 5/s: guessed_rate {rate}, frame.time {times[:4]}, really {gap:.1f} s apart")
assert rate == 25 and all(abs(t - i / 25) < 1e-9 for i, t in enumerate(times)) and gap > 0.1
EOF
