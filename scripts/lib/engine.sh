# shellcheck shell=bash
# The Docker engine: which engine the caller uses, whether it can serve the sandbox, and starting it when none runs.
# Sourced after messages.sh, places.sh and processes.sh. A `docker` on PATH may be a client without an engine.

engine_record=$machine_state/engine

# The caller's endpoint. Read before the sandbox's DOCKER_CONFIG hides the caller's contexts.
engine_endpoint() {
    local host
    if [ -n "${DOCKER_HOST:-}" ] && [ -z "${DOCKER_CONTEXT:-}" ]; then
        printf '%s' "$DOCKER_HOST"
    # docker prints an empty line when it fails.
    elif host=$(docker context inspect -f '{{.Endpoints.docker.Host}}' 2>/dev/null) && [ -n "$host" ]; then
        printf '%s' "$host"
    elif [ -n "${DOCKER_CONTEXT:-}" ] && command -v docker >/dev/null; then
        fail "there is no docker context \`$DOCKER_CONTEXT\`" '`docker context ls` lists the contexts; or `unset DOCKER_CONTEXT`'
    else
        printf 'unix:///var/run/docker.sock'
    fi
}

# "SERVER_VERSION|OPERATING_SYSTEM|SECURITY_OPTIONS", or 1: without a server the client prints the bars alone.
engine_info() { # engine_info ENDPOINT
    local info
    info=$(DOCKER_HOST=$1 timeout 20 docker info -f '{{.ServerVersion}}|{{.OperatingSystem}}|{{.SecurityOptions}}' 2>/dev/null)
    [ -n "${info%%|*}" ] && printf '%s' "$info"
}

# Sets engine_state to ok, none or denied; fails on an engine that can't reach the sandbox's registry on a loopback address.
engine_look() {
    local info reason='' hint='select a local engine (`docker context use default`, `unset DOCKER_HOST`)'
    engine_host=$(engine_endpoint) || exit $?
    engine_version=''
    case $engine_host in
        unix://*) ;;
        *) fail "the Docker engine at $engine_host is remote and can't reach the sandbox's registry" "$hint" ;;
    esac
    local socket=${engine_host#unix://}
    if ! command -v docker >/dev/null || ! [ -S "$socket" ]; then
        engine_state=none
    elif ! [ -w "$socket" ]; then
        engine_state=denied
    elif info=$(engine_info "$engine_host"); then
        engine_state=ok
        engine_version=${info%%|*}
        case $info in
            *"|Docker Desktop|"*) reason='is Docker Desktop: it runs in a virtual machine' ;;
            *name=rootless*) reason='is rootless: it runs in a network of its own' ;;
        esac
        [ -z "$reason" ] || fail "the Docker engine at $engine_host $reason and can't reach the sandbox's registry" "$hint"
    else
        engine_state=none
    fi
    if [ "$engine_state" = none ] && [ "$(readlink -f "$socket")" != "$(readlink -f /var/run/docker.sock)" ]; then
        fail "no Docker engine answers at $engine_host" "$hint"
    fi
}

engine_use='use the Docker engine (its users can become root on this machine)'
engine_wish="start and $engine_use"
engine_refuses="the Docker engine's socket refuses this user"

# Gives this user the engine's socket, until the engine restarts. Membership in the group `docker` needs a new login.
engine_allow() {
    root_allowed "$engine_use" ||
        fail "$engine_refuses" "sudo usermod -aG docker $(id -un), and log in again; or OPS_ASSUME_YES=1 lets it use sudo"
    as_root chown "$(id -un)" "${engine_host#unix://}"
    engine_look
    [ "$engine_state" != denied ] || fail "$engine_refuses" "sudo usermod -aG docker $(id -un), and log in again"
}

# Starts the engine when none runs, and records that, so that `clean` stops only an engine of a sandbox.
engine_start() {
    local how=by-hand log=$machine_state/dockerd.log program pid start i name
    local -a environment=()
    program=$(PATH=$PATH:/usr/sbin:/sbin && command -v dockerd) || fail 'no Docker engine is installed' 'run scripts/install-deps'
    root_allowed "$engine_wish" ||
        fail 'the Docker engine does not run, and starting it takes root' 'start it (sudo systemctl start docker), or set OPS_ASSUME_YES=1'
    as_root mkdir -p -m 755 "$machine_state"
    if [ -d /run/systemd/system ] && as_root systemctl start docker 2>/dev/null; then
        how=systemd
    else
        # It pulls through the caller's proxy.
        for name in HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy; do
            [ -z "${!name:-}" ] || environment+=("$name=${!name}")
        done
        start_daemon_of_root /dev/null "$log" "${environment[@]}" "$program"
    fi
    for ((i = 0; i < 300; i++)); do
        engine_look
        case $engine_state in
            ok) break ;;
            denied) engine_allow ;;
        esac
        sleep 0.2
    done
    if [ "$how" = by-hand ]; then
        pid=$(cat /var/run/docker.pid 2>/dev/null) && start=$(process_start "$pid") ||
            fail 'failed to start the Docker engine' "see $log"
        how="$how $pid $start"
    fi
    # shellcheck disable=SC2016 # the words are for the inner shell
    printf '%s\n' "$how" | as_root sh -c 'umask 022 && cat >"$1"' sh "$engine_record"
    [ "$engine_state" = ok ] || fail 'failed to start the Docker engine: it does not answer' "see $log, or: journalctl -u docker"
}

# Makes sure that a usable engine runs. Under a lock: two scripts would start two engines.
engine_up() {
    local lock
    engine_look
    [ "$engine_state" != denied ] || engine_allow
    [ "$engine_state" != ok ] || return 0
    take_lock lock engine 120 ||
        fail 'failed to start the Docker engine: another start is under way' "see who holds $(machine_lock_file engine)"
    engine_look
    if [ "$engine_state" = none ]; then
        engine_start
        engine_started=yes
    fi
    drop_lock lock
}

# Stops the engine if a sandbox started it, according to the record.
engine_stop() {
    local how pid start
    read -r how pid start 2>/dev/null <"$engine_record" || return 0
    case $how in
        systemd) as_root systemctl stop docker.service docker.socket 2>/dev/null || true ;;
        by-hand) end_process "$pid" "$start" 30 as_root || warn "failed to stop the Docker engine (process $pid)" ;;
    esac
    as_root rm -rf "$machine_state"
}
