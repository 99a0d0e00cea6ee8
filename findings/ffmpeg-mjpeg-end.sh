#!/bin/sh
# FFmpeg can write a multipart JPEG file (mpjpeg), as web cameras send it, and read it.
# One would guess that reading such a file ends as any other file does.
# It ends in an error after the last frame: InvalidDataError from the file,
# OSError(5, 'Input/output error') from the same bytes over HTTP, sent as cameras do.
# The line end behind the last boundary is the cause: without it the file ends well.
# It matters to a program that tells "the recording is over" from "the camera is lost".
# With this format each good end looks like a fault, and retrying starts it anew.
# Seen with PyAV 19.0.2 (18.1.0 does the same):
#   file: 20 frames, InvalidDataError; HTTP: 20 frames, OSError
#   file without its last two bytes: 20 frames, end
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
import av, socket, threading

with av.open("a.mjpeg", "w", format="mpjpeg") as out:
    stream = out.add_stream("mjpeg", rate=5)
    stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
    for pts in range(20):
        frame = av.VideoFrame(64, 48, "yuvj420p")
        frame.pts = pts
        out.mux(stream.encode(frame))
    out.mux(stream.encode(None))
with open("a.mjpeg", "rb") as file:
    data = file.read()
with open("cut.mjpeg", "wb") as file:
    file.write(data[:-2])
door = socket.create_server(("127.0.0.1", 0))

def serve():
    peer, _ = door.accept()
    peer.recv(4096)
    peer.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=ffmpeg\r\n\r\n" + data)
    peer.close()
threading.Thread(target=serve, daemon=True).start()

def read(name):
    count = 0
    try:
        with av.open(name, format="mpjpeg", timeout=30) as box:
            for _ in box.decode(video=0):
                count += 1
        return count, "end"
    except av.FFmpegError as error:
        return count, type(error).__name__

results = [read("a.mjpeg"), read("http://127.0.0.1:%d/" % door.getsockname()[1]), read("cut.mjpeg")]
print("PyAV", av.__version__, "last bytes", data[-14:])
print("file: %d frames, %s; HTTP: %d frames, %s; file without its last two bytes: %d frames, %s"
      % tuple(x for r in results for x in r))
assert [r[0] for r in results] == [20, 20, 20]
assert results[0][1] != "end" and results[1][1] != "end" and results[2][1] == "end"
EOF
