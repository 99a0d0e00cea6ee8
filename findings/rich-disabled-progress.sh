#!/bin/sh
# rich.progress.Progress(disable=True) is for a quiet run: no bar is drawn.
# One would guess that it then writes nothing.
# Up to rich 14.2.0 it writes one line end when it stops, if its console is no terminal.
# In a terminal nothing is seen of this; rich 14.3.0 no longer writes it.
# It matters to a program whose output goes to a log, to a pipe or to cron.
# A quiet run is not empty then, and cron sends a mail about it.
# Seen, bytes written by a disabled bar:
#   rich 14.2.0 '\n'
#   rich 14.3.0 ''
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
cat > t.py <<'EOF'
import io, sys
from importlib.metadata import version
from rich.console import Console
from rich.progress import Progress

text = io.StringIO()
with Progress(console=Console(file=text), disable=True) as bar:
    task = bar.add_task("frames", total=2)
    bar.advance(task)
print("rich", version("rich"), repr(text.getvalue()))
sys.exit(text.getvalue() != ("\n" if version("rich") == "14.2.0" else ""))
EOF
venv/bin/pip install -q --disable-pip-version-check rich==14.2.0
venv/bin/python -I t.py
venv/bin/pip install -q --disable-pip-version-check rich==14.3.0
venv/bin/python -I t.py
