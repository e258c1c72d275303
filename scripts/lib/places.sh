# shellcheck shell=bash
# Paths, root's rights, and locks. Sourced after messages.sh; $repo is the clone's folder.

requirements=$repo/scripts/lib/requirements.txt
cache_dir=${OPS_CACHE_DIR:-${XDG_CACHE_HOME:-${HOME:-/var/tmp}/.cache}/cruddur-ops}

# State of the machine, not of a clone. A reboot removes it, as the processes that it names.
machine_state=/run/cruddur-ops

# The system's Python first: the shim of a version manager depends on the shell.
find_python() {
    local candidate
    for candidate in /usr/bin/python3 python3; do
        if command -v "$candidate" >/dev/null && "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
            command -v "$candidate"
            return 0
        fi
    done
    return 1
}

# The name contains a checksum of the pins and the Python, so that a change of either makes a new environment.
venv_path() { # venv_path PYTHON
    local digest
    digest=$({ "$1" -c 'import platform, sys; print(sys.version, platform.machine(), sys.executable)' && cat "$requirements"; } | sha256sum)
    printf '%s/venv-%s' "$cache_dir" "${digest:0:16}"
}

# Sets $venv to the environment that install-deps made; 1 without one.
find_venv() {
    local python
    python=$(find_python) && venv=$(venv_path "$python") && [ -x "$venv/bin/python" ] && [ -x "$venv/bin/aws" ]
}

root_consent=''

is_root() { [ "$(id -u)" = 0 ]; }

as_root() { if is_root; then "$@"; else sudo "$@"; fi; }

# Whether root's rights may be used: as root, with OPS_ASSUME_YES=1 or CI=true, or after a question on a terminal, asked once.
root_allowed() { # root_allowed WHAT_FOR
    if is_root || [ "$root_consent" = yes ]; then return 0; fi
    [ "$root_consent" != no ] || return 1
    command -v sudo >/dev/null || return 1
    if [ "${OPS_ASSUME_YES:-}" = 1 ] || [ "${CI:-}" = true ]; then
        root_consent=yes
    elif [ -t 0 ] && { : >/dev/tty; } 2>/dev/null; then
        local answer
        # On the terminal itself, over a progress line: stderr may be a log.
        printf '\r\033[K%s: use sudo to %s? [y/N] ' "$tool" "$1" >/dev/tty
        read -r answer </dev/tty
        case $answer in [yY] | [yY][eE][sS]) root_consent=yes ;; *) root_consent=no ;; esac
    else
        root_consent=no
    fi
    [ "$root_consent" = yes ]
}

# A file to lock, shared by all users of the machine. Readable by all, and opened for reading only, because in a sticky folder
# another user's file can't be opened with O_CREAT.
machine_lock_file() { # machine_lock_file NAME
    local folder=/tmp
    if [ "$(stat -c %a /run/lock 2>/dev/null)" = 1777 ]; then folder=/run/lock; fi
    local file=$folder/cruddur-ops-$1.lock
    if ! [ -e "$file" ]; then (umask 0 && set -C && : >"$file") 2>/dev/null || true; fi
    printf '%s' "$file"
}

# take_lock VARIABLE NAME SECONDS: locks the machine's file of this name, and sets VARIABLE to the descriptor. The kernel releases
# the lock at the end of the process. 1 when another process held it for that long.
take_lock() {
    local -n lock_descriptor=$1
    exec {lock_descriptor}<"$(machine_lock_file "$2")"
    flock -w "$3" "$lock_descriptor"
}

drop_lock() { # drop_lock VARIABLE
    local -n lock_descriptor=$1
    exec {lock_descriptor}<&-
}
