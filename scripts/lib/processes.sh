# shellcheck shell=bash
# Processes: known again, ended, and started so that they outlive the caller. Sourced after places.sh.

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

# What a started process finds programs on: not the caller's folders, which may be anybody's.
system_path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# Nothing of the caller's stays open in a process that outlives it: a gate in a pipe must see its end, a lock its release.
close_descriptors() {
    local descriptor
    for descriptor in "/proc/$BASHPID/fd"/*; do
        descriptor=${descriptor##*/}
        # 255 is bash's own, and closed by the next exec.
        if [ "$descriptor" -gt 2 ] && [ "$descriptor" != 255 ]; then eval "exec $descriptor>&-"; fi
    done
}

# Starts a process in a session of its own, in the root folder and an empty environment, and sets $daemon_pid. OUT is
# written anew, LOG is added to. NAME=VALUE words may come before the command.
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

# The same for a command that root has to start, whether or not it gives root's rights up by itself. The variables go
# through stdin: sudo writes all its words into the system's log, and a proxy's address may hold a password.
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
    # HUP is ignored from the start: sudo's terminal may be gone before the new session is there.
    # shellcheck disable=SC2016 # the words are for the inner shell
    daemon_pid=$(printf '%s' "$variables" | sudo env -i PATH="$system_path" LANG=C.UTF-8 sh -c 'trap "" HUP; cd /
        while IFS= read -r pair; do export "$pair"; done
        out=$1 log=$2; shift 2
        setsid "$@" </dev/null >>"$out" 2>>"$log" &
        echo $!' sh "$out" "$log" "$@")
}

# The arguments of a process, as the array $arguments; 1 when it is gone or not to be seen.
read_arguments() { # read_arguments PID
    arguments=()
    { mapfile -d '' -t arguments <"/proc/$1/cmdline"; } 2>/dev/null && [ ${#arguments[@]} -gt 0 ]
}

# The ids of the processes that have an argument which matches, whoever they belong to.
processes_with() { # processes_with EXTENDED_REGULAR_EXPRESSION
    local file
    grep -lszxE -e "$1" /proc/[0-9]*/cmdline | while IFS= read -r file; do
        file=${file#/proc/}
        printf '%s\n' "${file%/cmdline}"
    done
}

read_record() { # read_record FILE: the process that it names, as $record_pid and $record_start
    record_pid='' record_start=''
    { read -r record_pid record_start <"$1"; } 2>/dev/null || true
    is_process "$record_pid" "$record_start"
}

write_record() { # write_record FILE PID
    local start
    start=$(process_start "$2") && printf '%s %s\n' "$2" "$start" >"$1"
}
