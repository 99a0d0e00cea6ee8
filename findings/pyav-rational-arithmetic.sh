#!/bin/sh
# PyAV 19 gives rates and time bases as av.rational.AVRational.
# One would guess that it does what a Fraction does: isinstance(x, numbers.Rational)
# is True, and it equals and hashes like the Fraction that PyAV 18.1.0 gave.
# round(), int(), //, % and abs() raise TypeError instead.
# The product of two of them is rounded to 32 bits, without a word.
# A small product so becomes exactly 0; the same product of Fractions is right.
# It matters to code that rounds a frame rate or multiplies time bases.
# The type check passes, and the failure comes on the first real stream.
# Seen with PyAV 19.0.2 on Python 3.13.0:
#   Rational: True, equals Fraction(30): True, same hash: True
#   round, int, //, %, abs: TypeError
#   time_base 1/15360, its cube: AVRational(0, 1), as Fractions: 1/3623878656000
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
import av, numbers
from fractions import Fraction

with av.open("a.mp4", "w") as out:
    stream = out.add_stream("mpeg4", rate=30)
    stream.width = stream.height = 64
    for pts in range(30):
        frame = av.VideoFrame(64, 64, "yuv420p")
        frame.pts = pts
        out.mux(stream.encode(frame))
    out.mux(stream.encode(None))

def fails(function):
    try:
        function()
    except TypeError:
        return True
    return False

with av.open("a.mp4") as box:
    stream = box.streams.video[0]
    rate, base = stream.average_rate, stream.time_base
print("PyAV", av.__version__, repr(rate), repr(base))
alike = (isinstance(rate, numbers.Rational), rate == Fraction(30), hash(rate) == hash(Fraction(30)))
print("Rational: %s, equals Fraction(30): %s, same hash: %s" % alike)
assert all(alike)
for name, function in {"round": lambda: round(rate), "int": lambda: int(rate),
                       "//": lambda: rate // 1, "%": lambda: rate % 1, "abs": lambda: abs(rate)}.items():
    assert fails(function), name + " works now"
print("round, int, //, %, abs: TypeError")
cube, exact = base * base * base, Fraction(base) ** 3
print(f"time_base {base}, its cube: {cube!r}, as Fractions: {exact}")
assert cube == 0 and exact > 0
EOF
