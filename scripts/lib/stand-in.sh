#!/usr/bin/env bash
# The root file system of the stand-in base image, as a tar on stdout. scripts/base-image runs it as root:
#   stand-in.sh SUITE PACKAGES KEYRING MIRROR BUNDLE
# An empty MIRROR is debootstrap's own. BUNDLE is the machine's file of trusted certificates, or empty. Variables for
# the network are read from stdin, as NAME=VALUE: other users can read arguments, and a proxy may need a password.
set -euo pipefail

suite=$1 packages=$2 keyring=$3 mirror=$4 bundle=$5
while IFS='=' read -r name value; do export "$name=$value"; done
export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
umask 022

# Not in /tmp, which may be in memory, or mounted with `nodev` or `noexec`. Remains of killed runs are older than a run takes.
find /var/tmp -maxdepth 1 -name 'cruddur-ops-stand-in.*' -mmin +120 -exec rm -rf --one-file-system {} +
folder=$(mktemp -d /var/tmp/cruddur-ops-stand-in.XXXXXX)
root=$folder/root
child=''
finish() {
    trap '' INT TERM HUP
    if [ -n "$child" ]; then
        kill -KILL -- "-$child" 2>/dev/null || true
        wait "$child" 2>/dev/null || true
    fi
    rm -rf --one-file-system "$folder"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

# In a new session, so that all its processes can be ended at once, and in a new mount namespace, so that debootstrap's mounts
# end with it.
arguments=(--variant=minbase "--include=$packages" "--keyring=$keyring" "$suite" "$root")
[ -z "$mirror" ] || arguments+=("$mirror")
setsid unshare --mount --propagation private debootstrap "${arguments[@]}" </dev/null >&2 &
child=$!
code=0
wait "$child" || code=$?
child=''
if [ "$code" != 0 ]; then
    [ ! -f "$root/debootstrap/debootstrap.log" ] || tail -n 20 "$root/debootstrap/debootstrap.log" >&2
    exit 1
fi

cd "$root"
# Files that the official image does not have, or that differ between runs.
rm -rf usr/share/doc/* usr/share/man/* usr/share/info/* usr/share/lintian usr/share/locale/* var/cache/apt/* \
    var/lib/apt/lists/* var/cache/debconf/*-old var/lib/dpkg/*-old var/cache/ldconfig etc/machine-id etc/hostname \
    etc/resolv.conf etc/apt/sources.list
find var/log tmp -mindepth 1 -delete
# pip may install into the system's folder, as in the official image.
rm -f usr/lib/python3*/EXTERNALLY-MANAGED
ln -s python3 usr/bin/python
if [ -n "$bundle" ]; then install -m 644 "$bundle" etc/ssl/certs/ca-certificates.crt; fi
tar --sort=name --numeric-owner --exclude='./dev/*' --exclude='./proc/*' --exclude='./sys/*' -c .
