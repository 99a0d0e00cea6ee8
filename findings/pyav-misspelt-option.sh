#!/bin/sh
# The ffmpeg command stops at a misspelt option: "Option not found".
# One would guess that PyAV at least warns.
# A wrong value raises in all places, but a wrong name is treated in three ways.
# Opening a file for reading: there is no warning, and container.options still lists it.
# Opening an encoder: there is no warning; the unused name stays in codec_context.options.
# Opening a file for writing: the logger av.container.output warns.
# It matters to options such as rtsp_transport or use_wallclock_as_timestamps:
# one wrong letter gives the default behaviour, and no line in any log.
# Seen with PyAV 19.0.2 (18.1.0 does the same):
#   encoder.options after opening: {'presett': 'ultrafast'}
#   writing: "Some options were not used: {'movflag': 'faststart'}"
#   reading: nothing; reading with a wrong value: ArgumentError
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
import av, logging

said = []
class Ear(logging.Handler):
    def emit(self, record):
        said.append(record.getMessage())
logging.basicConfig(level=logging.DEBUG, handlers=[Ear()])

with av.open("a.mp4", "w", options={"movflag": "faststart"}) as out:
    stream = out.add_stream("libx264", rate=30, options={"presett": "ultrafast", "crf": "30"})
    stream.width = stream.height = 64
    out.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
    print("PyAV", av.__version__, " encoder.options after opening:", stream.codec_context.options)
    assert stream.codec_context.options == {"presett": "ultrafast"}
    out.mux(stream.encode(None))
print("writing:", said)
assert len(said) == 1 and "movflag" in said[0]

said.clear()
with av.open("a.mp4", options={"use_wallclok_as_timestamps": "1"}) as box:
    print("reading:", said, box.options)
    assert not said
try:
    av.open("a.mp4", options={"fflags": "nobufer"})
    raise SystemExit("a wrong value is taken now")
except av.FFmpegError as error:
    print("reading with a wrong value:", repr(error))
EOF
