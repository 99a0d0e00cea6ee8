#!/bin/sh
# anyio 4.16.0 runs on asyncio or on trio; for trio it names the extra anyio[trio].
# One would guess that pip refuses an anyio and a trio that do not fit.
# A project that asks for anyio and for trio<0.31, without the extra, gets a broken pair.
# pip installs it, and `pip check` finds "No broken requirements".
# Importing and running work; the first cancel() on the trio backend raises TypeError.
# anyio 4.11.0 fails so as well, 4.10.0 does not; trio 0.31 is new enough.
# It matters to a measuring loop that ends by cancelling its tasks:
# hours of measuring end in a TypeError instead of a report.
# Seen with anyio 4.16.0 and trio 0.30.0:
#   asyncio: cancelled; trio: TypeError: CancelScope.cancel() takes 1 positional argument ...
set -eu
py=
for p in python3.13 python3.12 "${PYENV_ROOT:-${HOME:-}/.pyenv}"/versions/3.13*/bin/python3 \
    "${PYENV_ROOT:-${HOME:-}/.pyenv}"/versions/3.12*/bin/python3 python3; do
    if "$p" -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; then py=$p; break; fi
done
[ -n "$py" ] || { echo "This script needs Python 3.12 or later." >&2; exit 2; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM
cd "$dir"
"$py" -m venv venv
venv/bin/pip install -q --disable-pip-version-check anyio==4.16.0 trio==0.30.0

venv/bin/pip check
venv/bin/python -I - <<'EOF'
import anyio
from importlib.metadata import requires, version

async def main():
    with anyio.CancelScope() as scope:
        scope.cancel()
        await anyio.sleep(1)

def run(backend):
    try:
        anyio.run(main, backend=backend)
        return "cancelled"
    except TypeError as error:
        return "TypeError: %s" % error

print("anyio", version("anyio"), "trio", version("trio"), [r for r in requires("anyio") if "trio" in r])
results = {backend: run(backend) for backend in ("asyncio", "trio")}
print("; ".join("%s: %s" % item for item in results.items()))
assert results["asyncio"] == "cancelled" and "takes 1 positional argument" in results["trio"]
EOF
