#!/usr/bin/env bash
# The root file system of the stand-in base image, as a tar on stdout. scripts/base-image runs it as root:
#   stand-in.sh SUITE PACKAGES KEYRING MIRROR BUNDLE
# An empty MIRROR is debootstrap's own. BUNDLE is the machine's file of trusted certificates, or empty. Variables for
# the network come on stdin, as NAME=VALUE: a proxy's password would be seen among the arguments.
set -euo pipefail

suite=$1 packages=$2 keyring=$3 mirror=$4 bundle=$5
while IFS='=' read -r name value; do export "$name=$value"; done
export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
umask 022

# Not in /tmp: that may be in memory, or mounted without devices or programs. What a killed run has left is far older
# than any run takes.
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

# In a session of its own, so that all of it can be ended at once; and in a mount namespace of its own, so that what
# debootstrap mounts goes away with it, however it ends.
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
# What the official image does not have either, or what differs from run to run.
rm -rf usr/share/doc/* usr/share/man/* usr/share/info/* usr/share/lintian usr/share/locale/* var/cache/apt/* \
    var/lib/apt/lists/* var/cache/debconf/*-old var/lib/dpkg/*-old var/cache/ldconfig etc/machine-id etc/hostname \
    etc/resolv.conf etc/apt/sources.list
find var/log tmp -mindepth 1 -delete
# Here pip may install into the system's folder, as in the official image.
rm -f usr/lib/python3*/EXTERNALLY-MANAGED
ln -s python3 usr/bin/python
if [ -n "$bundle" ]; then install -m 644 "$bundle" etc/ssl/certs/ca-certificates.crt; fi
tar --sort=name --numeric-owner --exclude='./dev/*' --exclude='./proc/*' --exclude='./sys/*' -c .
