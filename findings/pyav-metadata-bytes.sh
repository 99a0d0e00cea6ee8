#!/bin/sh
# The title of an AVI file may hold bytes that are no UTF-8: AVI names no encoding,
# and recorders write Latin-1 there.
# One would guess that reading it raises, as PyAV 18.1.0 does, or replaces the byte.
# PyAV 19.0.2 returns a str with a lone surrogate in it.
# json.dumps takes this str; print, write_text or a database raise on it much later.
# The old remedy, av.open(..., metadata_errors="replace"), is a TypeError in PyAV 19.
# It matters to whoever logs or stores the metadata of other people's cameras.
# The error comes from the log file, far from the file that caused it.
# Seen:
#   PyAV 18.1.0  strict: UnicodeDecodeError  metadata_errors: 'Au\ufffden'
#   PyAV 19.0.2  strict: 'Au\udcdfen'  metadata_errors: TypeError
#   and then: UnicodeEncodeError: 'utf-8' codec can't encode character '\udcdf' ...
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
import av, json, sys

with av.open("a.avi", "w") as out:
    out.metadata["title"] = "AuXen"
    stream = out.add_stream("mpeg4", rate=30)
    stream.width = stream.height = 64
    out.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
    out.mux(stream.encode(None))
with open("a.avi", "rb") as file:
    data = file.read()
with open("a.avi", "wb") as file:
    file.write(data.replace(b"AuXen", b"Au\xdfen"))

def title(**options):
    try:
        with av.open("a.avi", **options) as box:
            return box.metadata["title"]
    except (UnicodeDecodeError, TypeError) as error:
        return type(error)

plain, replaced = title(), title(metadata_errors="replace")
print("PyAV", av.__version__, " strict:", ascii(plain), " metadata_errors:", ascii(replaced))
if av.__version__ == "18.1.0":
    sys.exit((plain, replaced) != (UnicodeDecodeError, "Au\ufffden"))
assert plain == "Au\udcdfen" and replaced is TypeError
json.dumps({"title": plain})
try:
    plain.encode()
    sys.exit("the title can be encoded now")
except UnicodeEncodeError as error:
    print("and then: UnicodeEncodeError:", error)
EOF
venv/bin/pip install -q --disable-pip-version-check av==18.1.0
venv/bin/python -I t.py
venv/bin/pip install -q --disable-pip-version-check av==19.0.2
venv/bin/python -I t.py
