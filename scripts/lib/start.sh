# shellcheck shell=bash
# Starts the sandbox: checks the programs, asks for root's rights, starts the parts in order, and stops them if it is interrupted.
# Sourced after the parts; uses the functions of scripts/sandbox that depend on the region.

require_programs() {
    local -a missing=()
    local program
    for program in curl openssl flock setsid setpriv docker; do
        command -v "$program" >/dev/null || missing+=("$program")
    done
    find_database_programs || missing+=('a PostgreSQL server')
    find_venv || missing+=('the Python environment')
    [ ${#missing[@]} = 0 ] || fail "not installed: $(listed "${missing[@]}")" 'scripts/install-deps'
}

# One question for everything that needs root, before anything is started.
ask_for_root() {
    local -a reasons=()
    local what
    is_root && return 0
    [ "$engine_state" != none ] || reasons+=("$engine_wish")
    [ "$engine_state" != denied ] || reasons+=("$engine_use")
    hosts_read
    hosts_address "$registry" >/dev/null || hosts_writable || reasons+=("add $registry to $hosts_file")
    ! privileged_port || emulator_runs || reasons+=('let the AWS emulator listen on port 80 of a loopback address')
    [ ${#reasons[@]} -gt 0 ] || return 0
    what=$(listed "${reasons[@]}")
    root_allowed "$what" && return 0
    command -v sudo >/dev/null || fail "root is needed to $what" 'run it as root: sudo is not installed'
    fail "root is needed to $what" 'OPS_ASSUME_YES=1 lets it use sudo; or run it as root'
}

# The address of Docker's bridge, at which containers reach this machine.
engine_gateway() {
    local found bridge
    found=$(docker_here network inspect bridge -f '{{range .IPAM.Config}}{{.Gateway}} {{end}}{{index .Options "com.docker.network.bridge.name"}}' 2>/dev/null) ||
        fail 'the Docker engine has no network `bridge`' 'the containers of the sandbox reach PostgreSQL over it'
    bridge=${found##* }
    found=${found%% *}
    # An engine that uses an existing interface reports no gateway: it is the interface's address.
    [ -n "$found" ] && [ "$found" != "$bridge" ] || found=$("$venv/bin/python" -c 'import fcntl, socket, struct, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
    print(socket.inet_ntoa(fcntl.ioctl(probe, 0x8915, struct.pack("256s", sys.argv[1].encode()))[20:24]))' "$bridge" 2>/dev/null) ||
        fail "the Docker engine's bridge \`$bridge\` has no address"
    printf '%s' "$found"
}

# Stops the parts that an incomplete start has started. (In a trap, a bare `return` returns the status from before the trap, so
# the functions use `return 0`.)
undo_up() {
    local code=$?
    trap - EXIT
    trap '' INT TERM HUP
    [ "$emulator_was" = up ] || emulator_down "$state"
    [ "$database_was" = up ] || database_down "$clone_key"
    if [ -n "$up_signal" ]; then
        trap - "$up_signal"
        kill -s "$up_signal" $$
    fi
    exit "$code"
}

# Whether all parts run and answer, with the current engine and bridge.
is_up() {
    local bridge
    read_values && [ -z "$(missing_parts)" ] && [ "$engine_state" = ok ] && bridge=$(engine_gateway) && [ "$gateway" = "$bridge" ] &&
        emulator_answers && registry_answers && database_answers "$database_port"
}

up() {
    local began name
    began=$(now_ms)
    engine_look
    lock_region
    if (is_up) 2>/dev/null; then
        read_values
        [ "$(cat "$state/emulator.version" 2>/dev/null)" = "$(emulator_version)" ] ||
            say "the AWS emulator was started from other files than scripts/lib has now: \`down\` and \`up\` restart it"
        say "runs already ($(seconds_since "$began"))"
        up_sentence
        return 0
    fi
    require_programs
    refuse_other_holder
    ask_for_root
    emulator_was=up database_was=up up_signal=''
    emulator_runs || emulator_was=down
    database_runs || database_was=down
    trap undo_up EXIT
    for name in INT TERM HUP; do
        # shellcheck disable=SC2064 # the name as it is now
        trap "up_signal=$name; exit 130" "$name"
    done

    engine_up
    gateway=$(engine_gateway)
    mkdir -p "$state/docker" "$state/bin"
    make_dummies
    ln -sfn "$venv/bin/aws" "$state/bin/aws"
    if [ -d "${HOME:-}/.docker/cli-plugins" ]; then ln -sfn "$HOME/.docker/cli-plugins" "$state/docker/cli-plugins"; fi
    name=''
    ! emulator_runs || name=$(ready_text registry_address)
    hosts_add "$registry" "${name%:*}"
    database_up
    emulator_up
    engine_reaches_registry
    write_values

    trap - EXIT INT TERM HUP
    say "started ($(seconds_since "$began"))"
    up_sentence
}
