#!/bin/sh
# Set up everything that `make demo` and `make test` need; `make setup` calls this. Safe to repeat: a second run
# only compares a stamp.
#
#   1. GNU Radio, from the system's packages, where no Python can import it yet (Debian, Ubuntu: apt-get).
#   2. .venv, made with the very Python that GNU Radio is built for, seeing the system's packages.
#   3. Chromium, which the tests of the dashboard drive, where apt-get has it; without one those tests are skipped.
#   4. This package, editable, with its development tools, as pyproject.toml lists them.
#
# Environment:
#   PYTHON           the interpreter to use, when the one found is not the one wanted; it must import gnuradio
#   NO_BROWSER       when not empty, Chromium is not installed
#   TORCH_INDEX_URL  package index that torch is taken from (a CPU-only or a CUDA build); default: pip's own
#   PIP_*            everything pip itself reads
set -eu
NO_BROWSER=${NO_BROWSER:-}
cd "$(dirname "$0")/.."
here=$(pwd -P)

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# The interpreter GNU Radio's bindings load in. The active environment comes first (radioconda), then the system's
# own Python; a Python that merely stands first on PATH (pyenv, another venv) usually cannot import them.
find_python() {
    for candidate in "${PYTHON:-}" "${CONDA_PREFIX:+$CONDA_PREFIX/bin/python}" /usr/bin/python3 "$(command -v python3 || true)"; do
        [ -n "$candidate" ] || continue
        if "$candidate" -c 'from gnuradio import gr' >/dev/null 2>&1; then
            printf '%s\n' "$candidate"
            return 0
        fi
    done
    return 1
}

apt_install() {
    command -v apt-get >/dev/null || fail "expected one of: a Python that imports gnuradio, or apt-get; found neither.
    Install GNU Radio (radioconda works anywhere), activate it, and run make setup again; see docs/install.md"
    as_root=
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || fail "root is needed once: apt-get install --no-install-recommends $*"
        as_root=sudo
    fi
    say "installing $* with apt-get"
    $as_root apt-get update -q
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"
}

stamp_text() {
    cat pyproject.toml setup.py python_core/doamc/posterior/loops/* scripts/setup.sh | cksum
    printf '%s\n' "$here" "$("$1" -c 'import sys; print(sys.version)')"
}

# A virtual environment holds absolute paths, so the stamp carries the folder as well as the dependencies.
stamp=.venv/doamc-setup-stamp
if [ -f "$stamp" ] && [ -x .venv/bin/doamc ] && [ "$(stamp_text .venv/bin/python)" = "$(cat "$stamp")" ]; then
    exit 0
fi

if ! python=$(find_python); then
    # Naming xterm and libblas-dev keeps out a desktop terminal and a compiler tool chain that GNU Radio's packages
    # would otherwise draw in as the first alternatives of what they need.
    apt_install gnuradio xterm libblas-dev python3-venv
    python=$(find_python) || fail "GNU Radio is installed but no Python imports it; try: /usr/bin/python3 -c 'from gnuradio import gr'"
fi
if ! "$python" -c 'import ensurepip' 2>/dev/null; then
    apt_install python3-venv
fi
"$python" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 13))' ||
    fail "expected a GNU Radio on Python 3.10 to 3.12, found $("$python" --version) ($python)"
# Ubuntu has Chromium as a snap only; whoever cannot install it loses nothing but the tests in a browser.
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
if [ -z "$browser$NO_BROWSER" ] && command -v apt-get >/dev/null; then
    (apt_install chromium) || say "no Chromium from apt-get: tests of the dashboard in a browser will be skipped"
fi
say "GNU Radio $("$python" -c 'from gnuradio import gr; print(gr.version())') on $("$python" --version) ($python)"

# --upgrade-deps would be neater but leaves the old pip to resolve: Debian's is slow at it.
rm -f "$stamp"
if ! [ -x .venv/bin/python ] || ! .venv/bin/python -c 'from gnuradio import gr' >/dev/null 2>&1 ||
    [ "$(.venv/bin/python -c 'import sys; print(sys.prefix)')" != "$here/.venv" ]; then
    rm -rf .venv
    "$python" -m venv --system-site-packages .venv
fi
quiet=--quiet
[ -t 1 ] && quiet=  # somebody watches: show the progress of the downloads
pip() { .venv/bin/python -m pip --disable-pip-version-check "$@"; }
pip install --quiet --upgrade pip
if [ -n "${TORCH_INDEX_URL:-}" ]; then
    torch=$(sed -n 's/^ *"\(torch==[0-9.]*\)".*/\1/p' pyproject.toml)
    [ -n "$torch" ] || fail "expected a line \"torch==...\" in pyproject.toml, found none"
    say "installing $torch from TORCH_INDEX_URL"
    pip install $quiet --index-url "$TORCH_INDEX_URL" "$torch"
else
    say "installing torch and the rest with pip (PyPI's torch for Linux is the CUDA build, some GB; docs/install.md"
    say "tells how to take the much smaller CPU build)"
fi
pip install $quiet --editable '.[dev]'

.venv/bin/python - <<'PY' || fail "the environment does not work; remove .venv and run make setup again"
import numpy, torch
from gnuradio import gr
import doamc
from doamc.estimators.base import make_estimator
from doamc.snapshots import make_batch
make_estimator("posterior", "ula8")(make_batch(torch.randn(1, 8, 32, dtype=torch.complex128)), 2)
print(f"setup: ready: GNU Radio {gr.version()}, numpy {numpy.__version__}, torch {torch.__version__}")
PY
stamp_text .venv/bin/python > "$stamp.part"
mv "$stamp.part" "$stamp"
