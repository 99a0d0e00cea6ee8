#!/bin/sh
# click.confirm(text, err=True) asks on standard error, for a program whose standard output is data.
# One would guess that nothing comes on standard output then.
# Up to click 8.3.2 the last blank of the question goes there: the answer is read by input(" ").
# In a terminal nothing is seen of this, as both streams are the same; click 8.4.0 no longer does it.
# It matters to `program > data.json`: the first line of the file begins with a blank for each question.
# Seen, standard output of a question on standard error:
#   click 8.3.2 ' '
#   click 8.4.0 ''
set -eu
py=
for p in python3.13 python3.12 "${PYENV_ROOT:-${HOME:-}/.pyenv}"/versions/3.13*/bin/python3 \
    "${PYENV_ROOT:-${HOME:-}/.pyenv}"/versions/3.12*/bin/python3 python3; do
    if "$p" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then py=$p; break; fi
done
[ -n "$py" ] || { echo "This script needs Python 3.10 or later." >&2; exit 2; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM
cd "$dir"
"$py" -m venv venv
cat > ask.py <<'EOF'
import click

click.confirm("Go on?", err=True)
EOF
cat > t.py <<'EOF'
import os, pty, subprocess, sys
from importlib.metadata import version

ours, theirs = pty.openpty()
asking = subprocess.Popen([sys.executable, "-I", "ask.py"], stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, text=True)
os.close(theirs)
asked = b""
while b"Go on?" not in asked:
    asked += os.read(ours, 1000)
os.write(ours, b"y\n")
out, _ = asking.communicate()
print("click", version("click"), repr(out))
sys.exit(out != (" " if version("click") == "8.3.2" else ""))
EOF
venv/bin/pip install -q --disable-pip-version-check click==8.3.2
venv/bin/python -I t.py
venv/bin/pip install -q --disable-pip-version-check click==8.4.0
venv/bin/python -I t.py
