# shellcheck shell=bash
# Processes: identified, ended, and started as daemons. Sourced after places.sh.

# The start time of a process, which identifies it together with its id: ids are reused.
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

# Ends a process with TERM, and with KILL after SECONDS.
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

# The PATH of a started process. The caller's PATH may have folders of other users.
system_path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# Closes the caller's descriptors: a process that outlives the caller must keep no pipe open and hold no lock.
close_descriptors() {
    local descriptor
    for descriptor in "/proc/$BASHPID/fd"/*; do
        descriptor=${descriptor##*/}
        # 255 is bash's own; the next exec closes it.
        if [ "$descriptor" -gt 2 ] && [ "$descriptor" != 255 ]; then eval "exec $descriptor>&-"; fi
    done
}

# Starts a process in a new session, in the root folder and an empty environment, and sets $daemon_pid. Overwrites OUT, appends to
# LOG. NAME=VALUE arguments may precede the command.
start_daemon() { # start_daemon OUT LOG COMMAND…
    local out=$1 log=$2
    shift 2
    : >"$out"
    (
        close_descriptors
        cd /
        exec setsid env -i PATH="$system_path" LANG=C.UTF-8 "$@"
    ) </dev/null >>"$out" 2>>"$log" &
    daemon_pid=$!
}

# start_daemon as root. The variables are passed on stdin: sudo writes its arguments to the system's log, and the URL of a proxy
# may hold a password.
start_daemon_of_root() { # start_daemon_of_root OUT LOG COMMAND…
    if is_root; then
        start_daemon "$@"
        return 0
    fi
    local out=$1 log=$2 variables=''
    shift 2
    while [[ ${1:-} =~ ^[A-Za-z_][A-Za-z0-9_]*= ]]; do
        variables+=$1$'\n'
        shift
    done
    : >"$out"
    # Ignores HUP: sudo's terminal may close before the new session starts.
    # shellcheck disable=SC2016 # the words are for the inner shell
    daemon_pid=$(printf '%s' "$variables" | sudo env -i PATH="$system_path" LANG=C.UTF-8 sh -c 'trap "" HUP; cd /
        while IFS= read -r pair; do export "$pair"; done
        out=$1 log=$2; shift 2
        setsid "$@" </dev/null >>"$out" 2>>"$log" &
        echo $!' sh "$out" "$log" "$@")
}

# The arguments of a process, as the array $arguments; 1 when they can't be read.
read_arguments() { # read_arguments PID
    arguments=()
    { mapfile -d '' -t arguments <"/proc/$1/cmdline"; } 2>/dev/null && [ ${#arguments[@]} -gt 0 ]
}

# The ids of the processes of all users that have a matching argument.
processes_with() { # processes_with EXTENDED_REGULAR_EXPRESSION
    local file
    grep -lszxE -e "$1" /proc/[0-9]*/cmdline | while IFS= read -r file; do
        file=${file#/proc/}
        printf '%s\n' "${file%/cmdline}"
    done
}

read_record() { # read_record FILE: sets $record_pid and $record_start; 1 unless that process runs
    record_pid='' record_start=''
    { read -r record_pid record_start <"$1"; } 2>/dev/null || true
    is_process "$record_pid" "$record_start"
}

write_record() { # write_record FILE PID
    local start
    start=$(process_start "$2") && printf '%s %s\n' "$2" "$start" >"$1"
}
