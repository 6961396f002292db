#!/bin/sh
# Set up what `make demo` needs; `setup.sh tests`, which `make test` and `make check` call, what they need as well.
# Safe to repeat: a second run only compares a stamp. What it takes and from where is said before it is downloaded.
#
#   1. GNU Radio and a C compiler from the system's packages (apt-get), where they are missing.
#   2. .venv, made with the very Python that GNU Radio is built for, seeing the system's packages.
#   3. torch: the system's own where it is new enough, else a build for CPU; for CUDA where there is an NVIDIA card.
#   4. This package, editable, with what pyproject.toml lists; for the tests its development tools and Chromium.
#
# Environment:
#   PYTHON           the interpreter to use, when the one found is not the one wanted; it must import gnuradio
#   NO_BROWSER       when not empty, Chromium is not installed
#   TORCH            version that pip takes; default: the one the tests ran with
#   TORCH_INDEX_URL  package index that torch is taken from; default: chosen as said above
#   PIP_*            everything pip itself reads
set -eu
what=${1:-demo}
NO_BROWSER=${NO_BROWSER:-}
TORCH=${TORCH:-2.13.0}
TORCH_LEAST=2.6 # as in pyproject.toml
CPU_INDEX=https://download.pytorch.org/whl/cpu
VENV_MB=1500 # with torch for CPU
CUDA_MB=6000
cd "$(dirname "$0")/.."
here=$(pwd -P)
log=out/setup.log

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

stamp_text() {
    cat pyproject.toml setup.py scripts/setup.sh python_core/doamc/*/loops/*.[ch] | cksum
    printf '%s\n' "$1" "$here" "$(.venv/bin/python -c 'import sys; print(sys.version)')"
}

# A virtual environment holds absolute paths, so the stamp carries the folder as well as the dependencies. What serves
# the tests serves the demo.
stamp=.venv/doamc-setup-stamp
is_done() { [ -f "$stamp-$1" ] && [ -x .venv/bin/doamc ] && [ "$(stamp_text "$1")" = "$(cat "$stamp-$1")" ]; }
if is_done "$what" || is_done tests; then
    exit 0
fi

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

has_version() { # of GNU Radio's Python; $1 as "3.13.5" or a Debian version
    case $1 in
        3.1[0-4] | 3.1[0-4][.+~-]*) ;;
        *) fail "expected a GNU Radio on Python 3.10 to 3.14, found Python $1; radioconda brings one: docs/install.md" ;;
    esac
}

needs_disk() { # $1 MB at $2 for $3
    free=$(df -Pk "$2" | awk 'NR == 2 { print int($4 / 1024) }')
    [ "$free" -gt "$1" ] || fail "expected $1 MB free at $2 for $3, found $free MB"
}

candidate_of() { apt-cache policy "$1" 2>/dev/null | sed -n 's/^  Candidate: \([0-9].*\)/\1/p'; }

# --- decide what comes from the system's packages, before any of it is downloaded
mkdir -p out
: > "$log"
nvidia=
if [ -e /proc/driver/nvidia/version ] || { have nvidia-smi && nvidia-smi -L >/dev/null 2>&1; }; then
    nvidia=yes
fi
as_root=
[ "$(id -u)" -eq 0 ] || as_root=sudo
packages=
python=$(find_python) || {
    have apt-get || fail "expected one of: a Python that imports gnuradio, or apt-get; found neither.
    Install GNU Radio (radioconda works anywhere), activate it, and run make setup again; see docs/install.md"
    # Naming xterm and libblas-dev keeps out a desktop terminal and a compiler tool chain that GNU Radio's packages
    # would otherwise draw in as the first alternatives of what they need.
    packages="gnuradio xterm libblas-dev"
}
own_python= # is it the distribution's, so that the distribution's packages for Python serve it?
if [ -z "$python" ] || [ "$(command -v "$python")" = /usr/bin/python3 ]; then
    own_python=yes
fi
if have apt-get; then
    [ -z "$own_python" ] || "${python:-false}" -c 'import ensurepip' 2>/dev/null || packages="$packages python3-venv"
    have cc || packages="$packages gcc libc6-dev"
    # Ubuntu has Chromium as a snap only; whoever cannot install it loses nothing but the tests in a browser.
    if [ "$what" = tests ] && [ -z "$NO_BROWSER" ] && ! have chromium && ! have chromium-browser && ! have google-chrome; then
        packages="$packages chromium"
    fi
    if [ -n "$packages" ] && [ -n "$as_root" ] && ! have sudo; then
        fail "root is needed once: apt-get install --no-install-recommends $packages"
    fi
    if [ -n "$packages" ]; then
        say "reading the lists of packages"
        $as_root apt-get update -q >> "$log" 2>&1 || say "apt-get update did not succeed, see $log; going on with the lists that are there"
        if [ -z "$python" ]; then
            has_version "$(candidate_of python3)"
        fi
    fi
    if [ "${packages% chromium}" != "$packages" ] && [ -z "$(candidate_of chromium)" ]; then
        packages=${packages% chromium}
    fi
    system_torch=$(candidate_of python3-torch)
    if [ -n "$own_python" ] && [ -z "$nvidia${TORCH_INDEX_URL:-}" ] && [ -n "$system_torch" ] &&
        dpkg --compare-versions "$system_torch" ge "$TORCH_LEAST" && { [ -z "$as_root" ] || have sudo; } &&
        ! dpkg -s python3-torch >/dev/null 2>&1 && ! .venv/bin/python -c 'import torch' 2>/dev/null; then
        packages="$packages python3-torch libopenblas0-pthread" # it would multiply by the plain BLAS, forty times slower
    fi
fi
if [ -n "$python" ]; then
    has_version "$("$python" -c 'import platform; print(platform.python_version())')"
fi

# --- the system's packages
apt_install() {
    size=$($as_root apt-get install --assume-no --no-install-recommends "$@" 2>/dev/null |
        sed -n 's/^Need to get \(.*\) of archives.*/\1 to download/p; s/^After this operation, \(.*\) of additional.*/, \1 on disk/p' | tr -d '\n')
    say "apt-get install $* (${size:-size unknown})"
    mb=$(printf '%s' "$size" | sed -n 's/.*, \([0-9]*\)[.,0-9]* MB on disk/\1/p')
    needs_disk $((${mb:-0} + 500)) /usr "the system's packages"
    # Status lines on descriptor 3, everything else into the log: a line for every fifth of the way.
    {
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
            -o APT::Status-Fd=3 -o Dpkg::Use-Pty=0 "$@" 3>&1 >> "$log" 2>&1 </dev/null || echo failed
    } | {
        stage="" shown=0 ok=yes
        while IFS=: read -r kind _ percent _; do
            [ "$kind" != failed ] || ok=
            case $kind in dlstatus) now=fetched ;; pmstatus) now=installed ;; *) continue ;; esac
            [ "$now" = "$stage" ] || { stage=$now shown=0; }
            percent=${percent%%.*}
            if [ "${percent:-0}" -ge $((shown + 20)) ]; then
                shown=$((percent / 20 * 20))
                say "  $shown % $now"
            fi
        done
        [ -n "$ok" ]
    }
}

# shellcheck disable=SC2086  # a list of words
if [ -n "$packages" ]; then
    apt_install $packages || fail "apt-get failed; the end of $log:
$(tail -n 5 "$log")"
    python=${python:-$(find_python)} || fail "GNU Radio is installed but no Python imports it; try: /usr/bin/python3 -c 'from gnuradio import gr'"
fi
say "GNU Radio $("$python" -c 'from gnuradio import gr; print(gr.version())') on $("$python" --version) ($python)"

# --- .venv
if ! [ -x .venv/bin/python ] || ! .venv/bin/python -c 'from gnuradio import gr' >/dev/null 2>&1 ||
    [ "$(.venv/bin/python -c 'import sys; print(sys.prefix)')" != "$here/.venv" ]; then
    rm -rf .venv
    "$python" -m venv --system-site-packages .venv
fi
rm -f "$stamp"-*

# pip's words go into the log, where its warnings do no harm; what takes long is told.
pip() {
    {
        .venv/bin/python -m pip --disable-pip-version-check --no-input "$@" 2>&1 || echo "pip failed"
    } | {
        ok=yes
        while IFS= read -r line; do
            printf '%s\n' "$line" >> "$log"
            case $line in
                "pip failed") ok= ;;
                *Downloading*"("*[0-9][0-9].*" MB)"* | *Downloading*"("*" GB)"*) say "  ${line#"${line%%[! ]*}"}" ;;
                "Installing collected packages"*) say "  installing $(printf '%s' "$line" | tr -cd , | wc -c | awk '{ print $1 + 1 }') packages" ;;
            esac
        done
        [ -n "$ok" ]
    } || fail "pip failed, all it said is in $log:
$(grep -i error "$log" | tail -n 3)"
}

# --- torch
torch_version() { .venv/bin/python -c 'from importlib.metadata import version; print(version("torch"))' 2>/dev/null; }
is_new_enough() { [ "$(printf '%s\n' "$TORCH_LEAST" "$1" | sort -V | head -n 1)" = "$TORCH_LEAST" ]; }
# Whether pip, as it is configured, would take a build without CUDA: a folder of wheels, a mirror, another processor.
pip_has_cpu_build() {
    .venv/bin/python -m pip --disable-pip-version-check --no-input install --quiet --dry-run --ignore-installed \
        --report - "torch==$TORCH" 2>> "$log" | .venv/bin/python -c '
import json, sys
names = [item["metadata"]["name"] for item in json.load(sys.stdin)["install"]]
sys.exit("torch" not in names or any(name.startswith(("nvidia", "cuda")) for name in names))' 2>> "$log"
}
answers() {
    .venv/bin/python -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=5)' "$1/" >/dev/null 2>&1
}
# Debian's pip of before 23 is slow at resolving and has no reports.
pip install --upgrade 'pip>=24'
if version=$(torch_version) && is_new_enough "$version"; then
    say "torch $version is there"
elif [ -n "${TORCH_INDEX_URL:-}" ]; then
    say "torch $TORCH from TORCH_INDEX_URL"
    pip install --index-url "$TORCH_INDEX_URL" "torch==$TORCH"
elif [ -z "$nvidia" ] && say "looking for a build of torch for CPU" && pip_has_cpu_build; then
    needs_disk $VENV_MB . ".venv"
    say "torch $TORCH for CPU"
    pip install "torch==$TORCH"
elif [ -z "$nvidia" ] && answers "$CPU_INDEX"; then
    needs_disk $VENV_MB . ".venv"
    say "torch $TORCH for CPU from $CPU_INDEX"
    pip install --index-url "$CPU_INDEX" "torch==$TORCH"
else
    [ -n "$nvidia" ] || say "no build of torch for CPU can be reached (TORCH_INDEX_URL names an index)"
    needs_disk $CUDA_MB . ".venv with torch for CUDA"
    say "torch $TORCH with CUDA, about 5 GB on disk"
    pip install "torch==$TORCH"
fi

# --- this package
needs_disk 1100 . "the packages of .venv"
extras='[dashboard]'
[ "$what" != tests ] || extras='[dev]'
say "this package and what it needs"
# While it resolves, pip may take another torch up, the newest, with CUDA; what is there stays.
echo "torch==$(torch_version)" > .venv/doamc-torch.txt
pip install --editable ".$extras" --constraint .venv/doamc-torch.txt

# Wheels hold tests and C++ headers of their own, 280 MB that nothing here runs or compiles against.
for site in .venv/lib/python3*/site-packages; do
    rm -rf "$site"/torch/test "$site"/torch/bin/test_* "$site"/torch/bin/protoc* "$site"/torch/include "$site"/pyarrow/include
    for name in dask matplotlib networkx numpy pyarrow sympy; do
        [ ! -d "$site/$name" ] || find "$site/$name" -type d -name tests -prune -exec rm -rf {} +
    done
done

# --- does it work, and what is missing
missing=$(.venv/bin/python - <<'PY'
import shutil
import numpy, torch
from gnuradio import gr
import doamc
from doamc.estimators.base import make_estimator
from doamc.snapshots import make_batch
make_estimator("posterior", "ula8")(make_batch(torch.randn(1, 8, 32, dtype=torch.complex128)), 2)
try:
    import gi
    gi.require_version("Gtk", "3.0")
except (ImportError, ValueError):
    print("gir1.2-gtk-3.0 (the window of GNU Radio Companion)", end="; ")
if not shutil.which("cc"):
    print("a C compiler (posterior runs slower)", end="; ")
PY
) || fail "the environment does not work; remove .venv and run make setup again"
if [ "$what" = tests ] && ! have chromium && ! have chromium-browser && ! have google-chrome; then
    missing="${missing}Chromium (tests of the dashboard in a browser are skipped); "
fi
stamp_text "$what" > "$stamp.part"
mv "$stamp.part" "$stamp-$what"
say "ready: $(.venv/bin/doamc --version), torch $(torch_version), .venv $(du -sm .venv | cut -f 1) MB; missing: ${missing:-nothing}"
