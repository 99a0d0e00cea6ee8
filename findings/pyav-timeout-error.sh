#!/bin/sh
# av.open(url, timeout=0.5) gives up after half a second when a camera says nothing.
# One would guess that it raises av.error.TimeoutError, which exists, or an OSError.
# It raises av.error.ExitError, "Immediate exit requested", errno 1414092869.
# ExitError is neither a TimeoutError nor an OSError.
# It matters to a program that is to try a silent camera again.
# `except (TimeoutError, OSError)` does not catch the very error that it was written for.
# Seen with PyAV 19.0.2 (18.1.0 does the same):
#   ExitError(1414092869, 'Immediate exit requested', ...)
#   TimeoutError: False, OSError: False, av.FFmpegError: True
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
import av, socket

door = socket.create_server(("127.0.0.1", 0))  # takes the call, and never answers
try:
    av.open("http://127.0.0.1:%d/" % door.getsockname()[1], timeout=0.5)
    raise SystemExit("it opened")
except av.FFmpegError as error:
    print("PyAV", av.__version__, repr(error))
    print(f"TimeoutError: {isinstance(error, TimeoutError)}, OSError: {isinstance(error, OSError)},",
          "av.FFmpegError: True")
    assert type(error) is av.error.ExitError and not isinstance(error, OSError)
    assert issubclass(av.error.TimeoutError, TimeoutError)
EOF
