# shellcheck shell=bash
# One line a step, and a table at the end. Sourced after messages.sh; $repo is the clone's folder. The
# steps of several scripts count as one row of numbers: $steps_done and $steps_total go through the environment.

steps_total=${steps_total:-0}
steps_done=${steps_done:-0}
steps_logs=${steps_logs:-$repo/.journey}
steps_table=${steps_table:-$steps_logs/table}
mkdir -p "$steps_logs"
[ "$steps_done" != 0 ] || : >"$steps_table"

# begin LABEL: the step's files are $step_out and $step_log.
begin() {
    steps_done=$((steps_done + 1))
    step_label=$1
    step_start=$(now_ms)
    step_out=$steps_logs/$(printf '%02d' "$steps_done")-$(printf '%s' "$1" | tr -cs 'a-zA-Z0-9\n' '-').out
    step_log=${step_out%.out}.log
    : >"$step_out"
    : >"$step_log"
    # On a terminal the line is there while the step runs, and is written over at its end.
    if [ -t 2 ]; then printf '[%2d/%d] %-34s …' "$steps_done" "$steps_total" "$step_label" >&2; fi
}

# end OUTCOME RESULT
end() {
    local line
    line=$(printf '[%2d/%d] %-34s %-10s %7s   %s' "$steps_done" "$steps_total" "$step_label" "$1" \
        "$(seconds_since "$step_start")" "$(shortened "$2")")
    if [ -t 2 ]; then printf '\r\033[K' >&2; fi
    printf '%s\n' "$line" >&2
    printf '%-34s %-10s %7s\n' "$step_label" "$1" "$(seconds_since "$step_start")" >>"$steps_table"
}

# end_failed EXIT_CODE MESSAGE: names the step, its exit code and its log, and ends the script.
end_failed() {
    end "failed" "exit $1"
    printf '%s: error: step `%s` failed with exit code %s: %s\n' "$tool" "$step_label" "$1" "$2" >&2
    tail -n 5 "$step_log" | sed 's/^/    /' >&2
    printf 'hint: its log is %s\n' "$step_log" >&2
    exit "$1"
}

closing_table() {
    printf '\n%-34s %-10s %7s\n' step outcome time >&2
    cat "$steps_table" >&2
}

# A digest is known by its first letters, a registry by the repository behind it.
shortened() {
    printf '%s' "$1" | sed -E 's|^[0-9]{12}\.dkr\.ecr\.[a-z0-9-]+\.[a-z.]+/|…/|; s|(sha256:[0-9a-f]{8})[0-9a-f]{56}|\1…|'
}

# json_text KEY: the first text of this key in a JSON document of one line, as our tools print it.
json_text() {
    grep -o "\"$1\":\"\\(\\\\.\\|[^\"\\\\]\\)*\"" | sed -n '1s/^"[^"]*":"\(.*\)"$/\1/; 1s/\\"/"/g; 1p'
}
