#!/bin/sh
# av.open documents options as "Options to pass to the container and all streams".
# ffmpeg -flags low_delay -i X sets the flag on the decoder of X.
# One would guess that av.open(X, options={"flags": "low_delay"}) does so too.
# The decoder never gets the options: they reach only the short look at open time.
# No error and no warning comes.
# They do work when they are set as stream.codec_context.options before decoding.
# It matters to whoever asks for low delay, one thread or key frames only:
# the measured latency is that of the default decoder.
# Seen with PyAV 19.0.2 (18.1.0 does the same), 30 frames of which 1 is a key frame:
#   av.open(options=...): frames 30, low_delay set: False
#   codec_context.options: frames 1, low_delay set: True
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
import av
from av.codec.context import Flags

with av.open("a.mp4", "w") as out:
    stream = out.add_stream("libx264", rate=30)
    stream.width = stream.height = 64
    for pts in range(30):
        frame = av.VideoFrame(64, 64, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes([128]) * plane.buffer_size)
        frame.pts = pts
        out.mux(stream.encode(frame))
    out.mux(stream.encode(None))

wish = {"skip_frame": "nokey", "flags": "low_delay"}

def read(options, decoder_options):
    with av.open("a.mp4", options=options) as box:
        context = box.streams.video[0].codec_context
        if decoder_options:
            context.options = decoder_options
        count = sum(1 for _ in box.decode(video=0))
        return count, bool(context.flags & Flags.low_delay)

print("PyAV", av.__version__)
for name, result, expected in (("av.open(options=...)", read(wish, None), (30, False)),
                               ("codec_context.options", read(None, wish), (1, True))):
    print(f"{name}: frames {result[0]}, low_delay set: {result[1]}")
    assert result == expected
EOF
