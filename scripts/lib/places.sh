# shellcheck shell=bash
# Where things are kept. Sourced after messages.sh; $repo is the clone's folder.

requirements=$repo/scripts/lib/requirements.txt
cache_dir=${OPS_CACHE_DIR:-${XDG_CACHE_HOME:-${HOME:-/var/tmp}/.cache}/cruddur-ops}

# State of the machine, not of a clone: gone after a reboot, as the processes that it names.
machine_state=/run/cruddur-ops

# The system's Python first: a version manager's shim on PATH would give an environment that moves with the shell.
find_python() {
    local candidate
    for candidate in /usr/bin/python3 python3; do
        if command -v "$candidate" >/dev/null && "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    return 1
}

# The environment's name holds what decides its content, so that a changed pin or Python makes a new one.
venv_path() { # venv_path PYTHON
    local digest
    digest=$({ "$1" -c 'import platform, sys; print(sys.version, platform.machine(), sys.executable)' && cat "$requirements"; } | sha256sum)
    printf '%s/venv-%s' "$cache_dir" "${digest:0:16}"
}

# The environment that install-deps made; without one the answer is 1.
find_venv() {
    local python
    python=$(find_python) && venv=$(venv_path "$python") && [ -x "$venv/bin/python" ] && [ -x "$venv/bin/aws" ]
}

is_root() { [ "$(id -u)" = 0 ]; }

as_root() { if is_root; then "$@"; else sudo "$@"; fi; }

# May root's rights be used? Root: yes. Else with OPS_ASSUME_YES=1 or CI=true, or after a question on a terminal; asked once.
root_allowed() { # root_allowed WHAT_FOR
    if is_root || [ "${root_consent:-}" = yes ]; then return 0; fi
    [ "${root_consent:-}" != no ] || return 1
    command -v sudo >/dev/null || return 1
    if [ "${OPS_ASSUME_YES:-}" = 1 ] || [ "${CI:-}" = true ]; then
        root_consent=yes
    elif [ -t 0 ] && [ -t 2 ]; then
        local answer
        printf '%s: use sudo to %s? [y/N] ' "$tool" "$1" >&2
        read -r answer
        case $answer in [yY] | [yY][eE][sS]) root_consent=yes ;; *) root_consent=no ;; esac
    else
        root_consent=no
    fi
    [ "$root_consent" = yes ]
}

# A process is known by its id and its start time: an id alone may belong to somebody else by now.
process_start() { # process_start PID
    local stat
    { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
    stat=${stat##*) }
    # shellcheck disable=SC2086 # split on purpose: the fields of stat
    set -- $stat
    [ "$1" != Z ] && printf '%s' "${20}"
}

is_process() { # is_process PID START
    [ -n "${1:-}" ] && [ -n "${2:-}" ] && [ "$(process_start "$1")" = "$2" ]
}

# Ends one process, by force when it does not go within SECONDS.
end_process() { # end_process PID START SECONDS [as_root]
    local i
    is_process "$1" "$2" || return 0
    ${4:-} kill -TERM "$1" 2>/dev/null || true
    for ((i = 0; i < $3 * 20; i++)); do
        is_process "$1" "$2" || return 0
        sleep 0.05
    done
    ${4:-} kill -KILL "$1" 2>/dev/null || true
    for ((i = 0; i < 40; i++)); do
        is_process "$1" "$2" || return 0
        sleep 0.05
    done
    return 1
}
