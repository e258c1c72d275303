# shellcheck shell=bash
# The AWS emulator of the sandbox, one a region on a machine. Sourced after messages.sh, places.sh and processes.sh; $state
# is the sandbox's folder.

# The sandbox's account, the example account of AWS's documentation.
account=123456789012
emulator_program=$repo/scripts/lib/emulator.py

registry_of() { printf '%s.dkr.ecr.%s.amazonaws.com' "$account" "$1"; } # registry_of REGION

# The emulators of all users of this machine: lines of PID, REGION and STATE. Found by their arguments, because a shared record
# could be stale, and would need a place that all users can write to.
emulators() {
    local pid i region folder
    for pid in $(processes_with '.*/scripts/lib/emulator\.py'); do
        read_arguments "$pid" || continue
        region='' folder=''
        for ((i = 0; i < ${#arguments[@]} - 1; i++)); do
            case ${arguments[i]} in
                --region) region=${arguments[i + 1]} ;;
                --state) folder=${arguments[i + 1]} ;;
            esac
        done
        [ -z "$region" ] || [ -z "$folder" ] || printf '%s\t%s\t%s\n' "$pid" "$region" "$folder"
    done
}

# The emulator of this region, as $holder_pid and $holder_clone; 1 when there is none.
find_holder() { # find_holder REGION
    local pid its_region folder
    holder_pid='' holder_clone=''
    while IFS=$'\t' read -r pid its_region folder; do
        if [ "$its_region" = "$1" ]; then holder_pid=$pid holder_clone=${folder%"/.sandbox/$1/aws"}; fi
    done < <(emulators)
    [ -n "$holder_pid" ]
}

# A checksum of the emulator's files; a commit would not change while they are edited.
emulator_version() { cat "$emulator_program" "${emulator_program%/*}"/corrections/*.py "$requirements" | sha256sum | cut -c 1-16; }

emulator_runs() { read_record "$state/emulator.pid"; }

ready_text() { sed -n "s/.*\"$1\": *\"\\([^\"]*\\)\".*/\\1/p" "$state/emulator.json" 2>/dev/null || true; } # ready_text KEY

# One call of the AWS API. The emulator reads only service and region from the signature.
call_aws() { # call_aws SERVICE CURL_ARGUMENT…
    local service=$1
    shift
    curl --silent --show-error --fail --noproxy '*' --max-time 10 "$endpoint/" "$@" --header \
        "Authorization: AWS4-HMAC-SHA256 Credential=sandbox/20260101/$region/$service/aws4_request, SignedHeaders=host, Signature=0"
}

call_query() { # call_query SERVICE VERSION ACTION [NAME=VALUE…]: the older, XML way
    local service=$1 version=$2 action=$3 argument
    local -a data=()
    shift 3
    for argument; do data+=(--data-urlencode "$argument"); done
    call_aws "$service" --data-urlencode "Version=$version" --data-urlencode "Action=$action" "${data[@]}"
}

xml_text() { grep -o "<$1>[^<]*" | sed "s/^<$1>//"; } # xml_text NAME: of all elements of this name

# Whether the endpoint serves the sandbox's account.
emulator_answers() {
    [ "$(call_query sts 2011-06-15 GetCallerIdentity 2>/dev/null | xml_text Account)" = "$account" ]
}

# Whether the registry answers: it requires credentials, as ECR does.
registry_answers() {
    [ "$(curl --silent --noproxy '*' --max-time 10 --output /dev/null --write-out '%{http_code}' \
        --header "Host: $registry" "http://$registry_address/v2/")" = 401 ]
}

privileged_port() { ! is_root && [ "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)" -gt 80 ]; }

# Starts it; 1 when it ends before it is ready.
start_emulator() { # start_emulator PORT
    local i out=$state/emulator.json log=$state/emulator.log
    : >"$log"
    local -a program=("$venv/bin/python" "$emulator_program" --account "$account" --region "$region" --port "$1"
        --registry-address "$registry_address" --registry-port 80 --state "$state/aws"
        --health-divisor "${OPS_HEALTH_DIVISOR:-1}")
    local -a environment=(HOME="$state" DOCKER_HOST="$engine_host")
    if privileged_port; then
        # Root only grants the right to listen on port 80; the process belongs to the user.
        start_daemon_of_root "$out" "$log" "${environment[@]}" setpriv --reuid="$(id -u)" --regid="$(id -g)" --init-groups \
            --inh-caps=+net_bind_service --ambient-caps=+net_bind_service "${program[@]}"
    else
        start_daemon "$out" "$log" "${environment[@]}" "${program[@]}"
    fi
    for ((i = 0; i < 600; i++)); do
        if grep -q '}' "$out"; then
            write_record "$state/emulator.pid" "$daemon_pid"
            emulator_version >"$state/emulator.version"
            return 0
        fi
        process_start "$daemon_pid" >/dev/null || return 1
        sleep 0.05
    done
    return 1
}

# Ends every emulator of this state folder. On TERM it saves its state and removes its containers.
emulator_down() { # emulator_down STATE
    local pid start folder _
    while IFS=$'\t' read -r pid _ folder; do
        if [ "$folder" = "$1/aws" ] && start=$(process_start "$pid"); then
            end_process "$pid" "$start" 20 || warn "failed to stop the AWS emulator (process $pid)"
        fi
    done < <(emulators)
}

# Makes sure that the emulator runs and answers. Sets $endpoint.
emulator_up() {
    local port
    endpoint=$(ready_text endpoint)
    port=${endpoint##*:}
    if emulator_runs && [ "$(ready_text registry_address)" = "$registry_address:80" ] && emulator_answers && registry_answers; then
        return 0
    fi
    emulator_down "$state"
    # The previous port, so that a copied endpoint stays valid; another port when it is taken.
    start_emulator "${port:-0}" || start_emulator 0 ||
        fail "failed to start the AWS emulator: $(sed -n 's/^emulator: error: //p' "$state/emulator.log" | tail -n 1)" "see $state/emulator.log"
    endpoint=$(ready_text endpoint)
    [ "$(ready_text registry)" = "$registry" ] || fail "the AWS emulator serves \`$(ready_text registry)\` instead of \`$registry\`"
    emulator_answers || fail "the AWS emulator at $endpoint does not answer for account $account" "see $state/emulator.log"
    registry_answers || fail "the registry at $registry_address does not answer" "see $state/emulator.log"
}

# One call of the Docker engine's API.
call_engine() { # call_engine PATH CURL_ARGUMENT…
    local path=$1
    shift
    curl --silent --noproxy '*' --unix-socket "${engine_host#unix://}" --max-time 30 "http://engine$path" "$@"
}

# The engine caches /etc/hosts for a few seconds, so a push right after a change could go to the real AWS. A login with a
# password that only the sandbox's registry accepts proves that the engine reaches it.
engine_reaches_registry() {
    local password answer i
    password=$(call_aws ecr --header 'Content-Type: application/x-amz-json-1.1' \
        --header 'X-Amz-Target: AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken' --data '{}' |
        sed -n 's/.*"authorizationToken": *"\([^"]*\)".*/\1/p' | base64 -d)
    for ((i = 0; i < 40; i++)); do
        answer=$(printf '{"username":"AWS","password":"%s","serveraddress":"%s"}' "${password#AWS:}" "$registry" |
            call_engine /auth --header 'Content-Type: application/json' --data-binary @-) || true
        case $answer in *'Login Succeeded'*) return 0 ;; esac
        sleep 0.5
    done
    answer=$(sed -n 's/.*"message": *"\(.*\)".*/\1/p' <<<"$answer")
    local proxy hint="is /etc/hosts in use? \`getent hosts $registry\` must print $registry_address"
    proxy=$(DOCKER_HOST=$engine_host docker info -f '{{.HTTPProxy}}{{.HTTPSProxy}}' 2>/dev/null || true)
    [ -z "$proxy" ] || hint="the engine uses a proxy: add $registry to its NO_PROXY, and restart it"
    fail "the Docker engine does not reach the sandbox's registry \`$registry\`: ${answer:-no answer}" "$hint"
}
