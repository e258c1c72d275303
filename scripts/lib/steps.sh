# shellcheck shell=bash
# One line a step, and a table at the end. Sourced after messages.sh, with $steps_logs set to the folder of the logs. The
# steps of several scripts are numbered together: $steps_done and $steps_total are passed in the environment.

steps_total=${steps_total:-0}
steps_done=${steps_done:-0}
steps_table=$steps_logs/table
step_label=''
mkdir -p "$steps_logs"
[ "$steps_done" != 0 ] || : >"$steps_table"

# Allows one run of this name in a clone, because runs share their logs. The lock is descriptor 9; a process that a step leaves
# running must not hold it.
only_one() { # only_one NAME
    exec 9>"$steps_logs/lock"
    flock --nonblock 9 || {
        say "another $1 of this clone is running: waiting for it"
        flock 9
    }
}

# begin LABEL: the step's files are $step_out and $step_log.
begin() {
    steps_done=$((steps_done + 1))
    step_label=$1
    step_start=$(now_ms)
    step_out=$steps_logs/$(printf '%02d' "$steps_done")-$(printf '%s' "$1" | tr -cs 'a-zA-Z0-9\n' '-').out
    step_log=${step_out%.out}.log
    : >"$step_out"
    : >"$step_log"
    # On a terminal the line is shown while the step runs, and overwritten at its end.
    if [ -t 2 ]; then printf '[%2d/%d] %-34s …' "$steps_done" "$steps_total" "$step_label" >&2; fi
}

clear_line() { if [ -t 2 ]; then printf '\r\033[K' >&2; fi; }

# end OUTCOME [RESULT]
end() {
    local took line
    took=$(seconds_since "$step_start")
    line=$(printf '[%2d/%d] %-34s %-10s %7s   %s' "$steps_done" "$steps_total" "$step_label" "$1" "$took" "$(shortened "${2:-}")")
    clear_line
    printf '%s\n' "${line%"${line##*[! ]}"}" >&2
    printf '%-34s %-10s %7s\n' "$step_label" "$1" "$took" >>"$steps_table"
    step_label=''
}

# end_failed EXIT_CODE MESSAGE: names the step, its exit code and its log, and ends the script.
end_failed() {
    local label=$step_label
    end failed "exit $1"
    printf '%s: error: step `%s` failed with exit code %s: %s\n' "$tool" "$label" "$1" "${2:-see its log}" >&2
    tail -n 5 "$step_log" | sed 's/^/    /' >&2
    hint "its log is $step_log"
    exit "$1"
}

# build_row LABEL RESULT COMMAND…: `changed` when the output of cargo, on stdout, shows that it compiled something. stderr
# is progress.
build_row() {
    local label=$1 result=$2
    shift 2
    begin "$label"
    "$@" >"$step_log" 9>&- || end_failed $? "$(grep -m 1 '^error' "$step_log" || said_error)"
    if grep -q '^ *Compiling' "$step_log"; then end changed "$result"; else end unchanged "$result"; fi
}

# A program that writes the output of cargo to stderr.
logged() { "$@" 2>&1; }

# The folder of cargo's binaries.
built_tools() {
    local target=${CARGO_TARGET_DIR:-target}
    case $target in /*) ;; *) target=$repo/$target ;; esac
    printf '%s/release' "$target"
}

# The last error message in the step's log, in the format of the tools and scripts.
said_error() { sed -n 's/^[a-z-]*: error: //p' "$step_log" | tail -n 1; }

# The script ends by the signal, after the program of the step has ended.
step_interrupted() { # step_interrupted SIGNAL
    trap - "$1"
    if [ -n "$step_label" ]; then
        clear_line
        say "interrupted in step \`$step_label\`; its log is $step_log"
    fi
    kill -s "$1" $$
}
trap 'step_interrupted INT' INT
trap 'step_interrupted TERM' TERM
trap 'step_interrupted HUP' HUP

closing_table() {
    printf '\n%-34s %-10s %7s\n' step outcome time >&2
    cat "$steps_table" >&2
}

# The following functions set variables instead of starting processes: they run for each row of a table.

# Abbreviates a digest, and omits the registry's host name.
shorten() { # shorten TEXT: as $short
    short=$1
    if [[ $short =~ ^[0-9]{12}\.dkr\.ecr\.[a-z0-9-]+\.[a-z.]+/ ]]; then short=…/${short#"${BASH_REMATCH[0]}"}; fi
    if [[ $short =~ (sha256:[0-9a-f]{8})[0-9a-f]{56} ]]; then short=${short/"${BASH_REMATCH[0]}"/"${BASH_REMATCH[1]}…"}; fi
}

shortened() {
    local short
    shorten "$1"
    printf '%s' "$short"
}

# The first text of this key in a JSON document as the tools print it; empty without one.
find_text() { # find_text KEY DOCUMENT: as $found
    local pattern="\"$1\":\"((\\\\.|[^\"\\\\])*)\""
    found=''
    if [[ $2 =~ $pattern ]]; then found=${BASH_REMATCH[1]//\\\"/\"}; fi
}

json_text() { # json_text KEY: of the document on stdin
    local document found
    IFS= read -r -d '' document || true
    find_text "$1" "$document"
    printf '%s\n' "$found"
}
