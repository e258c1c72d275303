# shellcheck shell=bash
# Messages and errors of the scripts, on stderr. Sourced; $tool is the name of the script.

warnings=0

say() { printf '%s: %s\n' "$tool" "$*" >&2; }
warn() {
    printf '%s: warning: %s\n' "$tool" "$*" >&2
    warnings=$((warnings + 1))
}
hint() { printf 'hint: %s\n' "$*" >&2; }

# fail MESSAGE [HINT]: exits with 2.
fail() {
    printf '%s: error: %s\n' "$tool" "$1" >&2
    [ $# -lt 2 ] || hint "$2"
    exit 2
}

usage_error() { fail "$1" "\`$tool --help\` shows the usage"; }

now_ms() { # milliseconds, without a process where bash has a clock
    local t=${EPOCHREALTIME/[.,]/}
    printf '%s' "${t%???}"
}

seconds_since() { # seconds_since START_MS: "1.4 s"
    local ms=$(($(now_ms) - $1))
    printf '%d.%d s' $((ms / 1000)) $((ms % 1000 / 100))
}
