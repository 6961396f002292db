#!/bin/sh
# Try this checkout on a bare Debian: a new system in a folder, and in it, from a clone of what is committed here,
# what a stranger does: `make demo` twice, an estimate, `.ci/run`. Needs root, debootstrap and some GB.
#
#     scripts/try_in_chroot.sh bookworm|trixie|testing [FOLDER] [demo|tests]
#
# FOLDER (default out/chroot-SUITE) is kept, so that a failure can be looked at; remove it to begin anew. `demo` leaves
# out the tests. Prints a table of times and sizes at the end; exit status 0 when all of it succeeded.
#
# Environment: MIRROR (default http://deb.debian.org/debian), PIP_* and SSL_CERT_FILE, which the system inside gets;
# a folder named by PIP_FIND_LINKS is seen inside.
set -eu
suite=${1:?which suite: bookworm, trixie or testing}
cd "$(dirname "$0")/.."
mkdir -p out
root=${2:-$(pwd -P)/out/chroot-$suite}
until=${3:-tests}
mirror=${MIRROR:-http://deb.debian.org/debian}
table=$root.txt
status=0

say() { printf 'chroot: %s\n' "$*"; }
[ "$(id -u)" -eq 0 ] || { echo "chroot: root is needed for a chroot" >&2; exit 1; }

mounts() { awk -v root="$root/" 'index($2, root) == 1 { print $2 }' /proc/mounts | sort -r; }
leave() {
    for place in $(mounts); do umount -l "$place"; done
}
trap leave EXIT
trap 'exit 130' INT TERM HUP

if ! [ -d "$root/etc" ]; then
    say "$suite from $mirror in $root"
    debootstrap --variant=minbase "$suite" "$root" "$mirror" > "out/debootstrap-$suite.log"
fi
mount -t proc proc "$root/proc"
mount --rbind --make-rslave /dev "$root/dev"
install -m 644 /etc/resolv.conf "$root/etc/resolv.conf"
[ -s "$root/etc/hosts" ] || printf '127.0.0.1 localhost %s\n' "$(hostname)" > "$root/etc/hosts" # an installer writes it
echo 'Acquire::Check-Valid-Until "false";' > "$root/etc/apt/apt.conf.d/90-mirrors-may-be-old"
if [ -d "${PIP_FIND_LINKS:-}" ]; then
    mkdir -p "$root$PIP_FIND_LINKS"
    mount --bind "$PIP_FIND_LINKS" "$root$PIP_FIND_LINKS"
fi

inside() { # a command inside, with an environment of its own
    # shellcheck disable=SC2046  # words
    chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root CI="${CI:-}" PYTEST_OPTIONS="${PYTEST_OPTIONS:-}" \
        $(env | grep -E '^(PIP_|SSL_CERT_FILE=|NO_BROWSER=|TORCH)' || true) "$@"
}
timed() { # $1 what, then the command
    what=$1
    shift
    say "$what"
    begin=$(date +%s)
    if "$@"; then result=ok; else result=failed status=1; fi
    printf '%-34s %-7s %5d s\n' "$what" "$result" $(($(date +%s) - begin)) >> "$table"
}

: > "$table"
inside apt-get update -q > "out/chroot-$suite-apt.log"
inside env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends git make ca-certificates \
    >> "out/chroot-$suite-apt.log" 2>&1
for file in "${PIP_CERT:-}" "${SSL_CERT_FILE:-}"; do # after the package that has its own at this place
    [ -z "$file" ] || install -D -m 644 "$file" "$root$file"
done
rm -rf "$root/src"
git clone -q . "$root/src/gr-doamc"
estimate=".venv/bin/doamc simulate ula8 -o x.npz --batches 1 --sources 2 && .venv/bin/doamc estimate x.npz -o y.npz --array ula8"
timed "make setup, from bare" inside make -C /src/gr-doamc setup
timed "first doamc simulate and estimate" inside sh -c "cd /src/gr-doamc && $estimate"
timed "make demo (20 s live)" inside make -C /src/gr-doamc demo
timed "make demo, recording (20 s live)" inside make -C /src/gr-doamc demo RECORDING=flowgraphs/recordings/kraken5_mixed_2.sigmf-meta
{
    sed -n 's/^PRETTY_NAME="\(.*\)"/\1/p' "$root/etc/os-release"
    inside sh -c 'cd /src/gr-doamc && .venv/bin/python -c "import numpy, platform, torch; from gnuradio import gr
print(\"GNU Radio\", gr.version(), \"Python\", platform.python_version(), \"NumPy\", numpy.__version__, \"torch\", torch.__version__)"'
    printf '.venv after the demo: %s MB\n' "$(du -sm "$root/src/gr-doamc/.venv" | cut -f 1)"
} >> "$table"
if [ "$until" = tests ]; then
    timed ".ci/run" inside sh /src/gr-doamc/.ci/run
    printf '.venv with the tests: %s MB; whole system: %s MB\n' "$(du -sm "$root/src/gr-doamc/.venv" | cut -f 1)" \
        "$(du -smx "$root" | cut -f 1)" >> "$table"
fi
cat "$table"
exit $status
