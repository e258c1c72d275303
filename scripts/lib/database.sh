# shellcheck shell=bash
# The sandbox's PostgreSQL cluster: TLS and SCRAM only, on loopback and on the gateway of Docker's bridge.
# Sourced after messages.sh, places.sh and processes.sh; $state is the sandbox's folder, $clone_key its name for the machine.

database_user=cruddur
database_name=cruddur

# The newest server's programs. Debian keeps them off PATH.
find_database_programs() {
    local folder
    for folder in $(compgen -G '/usr/lib/postgresql/*/bin' | sort -rV) "$(dirname "$(command -v postgres || echo /nowhere/postgres)")"; do
        if [ -x "$folder/initdb" ] && [ -x "$folder/postgres" ]; then
            database_programs=$folder
            return 0
        fi
    done
    return 1
}

# PostgreSQL refuses to run as root, and its own user can't read root's home, so the data of root's sandbox is in /var/lib.
database_home() { # database_home KEY
    if is_root; then printf '/var/lib/cruddur-ops/%s' "$1"; else printf '/var/tmp/cruddur-ops-%s/%s' "$(id -un)" "$1"; fi
}

# The major version ("15"), as in the file PG_VERSION of a cluster.
server_version() { "$database_programs/postgres" -V | sed 's/[^0-9]*\([0-9]*\).*/\1/'; }

# Runs a command as the user that the server runs as.
as_database_user() {
    if is_root; then
        (cd / && exec setpriv --reuid=postgres --regid=postgres --init-groups env -i PATH="$system_path" LANG=C.UTF-8 "$@")
    else
        (cd / && exec env -i PATH="$system_path" LANG=C.UTF-8 "$@")
    fi
}

# The process id of the server of these data, also without a record.
database_process() { # database_process HOME
    local pid
    for pid in $(processes_with "$1/data"); do
        if read_arguments "$pid" && [ "${arguments[0]##*/}" = postgres ]; then
            printf '%s' "$pid"
            return 0
        fi
    done
    return 1
}

database_runs() { read_record "$state/database.pid"; }

make_database_home() {
    local parent=${home%/*}
    if is_root; then
        getent passwd postgres >/dev/null || fail 'the user `postgres` is missing' 'scripts/install-deps installs PostgreSQL'
        install -d -m 711 "$parent"
        install -d -m 700 -o postgres -g postgres "$home"
    else
        # /var/tmp is writable for all users: another user may have created these folders.
        [ -d "$parent" ] || mkdir -m 700 "$parent"
        [ -d "$home" ] || mkdir -m 700 "$home"
        if ! [ -O "$parent" ] || ! [ -O "$home" ]; then fail "the folder \`$parent\` belongs to another user" 'remove it, or ask its owner to'; fi
    fi
    printf '%s\n' "$repo" >"$home/clone"
}

# Random bytes in hexadecimal, for a password.
random_text() { od -An -N"${1:-24}" -tx1 /dev/urandom | tr -d ' \n'; }

# A new cluster, with one role for clients. It has a temporary name until it is complete.
make_cluster() {
    local part=$home/data.part
    rm -rf "$part"
    as_database_user "$database_programs/initdb" --pgdata="$part" --username=postgres --auth=reject --encoding=UTF8 \
        --locale=C --no-sync --no-instructions >"$log" 2>&1 </dev/null ||
        fail "failed to make a PostgreSQL cluster: $(tail -n 1 "$log")" "see $log"
    random_text >"$state/password"
    # In single-user mode no client can connect, and the password is passed on stdin. A statement that fails is not logged
    # with its text. The role has the rights of a master user on RDS.
    as_database_user "$database_programs/postgres" --single -D "$part" -c log_min_error_statement=panic -c fsync=off postgres \
        >>"$log" 2>&1 <<SQL || fail "failed to set up the PostgreSQL cluster: $(tail -n 1 "$log")" "see $log"
SET password_encryption = 'scram-sha-256';
CREATE ROLE $database_user LOGIN CREATEDB CREATEROLE PASSWORD '$(cat "$state/password")';
CREATE DATABASE $database_name OWNER $database_user;
SQL
    ! grep -q 'ERROR\|FATAL' "$log" || fail "failed to set up the PostgreSQL cluster: $(grep -m 1 'ERROR\|FATAL' "$log")" "see $log"
    # Also for roles that tests make: every connection needs TLS and a password.
    printf 'hostssl all all all scram-sha-256\n' | as_database_user tee "$part/pg_hba.conf" >/dev/null
    rm -rf "$home/data"
    mv "$part" "$home/data"
}

# A certification authority for one certificate; its key is deleted.
make_certificate() {
    local folder=$home/tls.part
    rm -rf "$folder" "$home/tls"
    as_database_user mkdir -m 700 "$folder"
    # shellcheck disable=SC2016 # the words are for the inner shell
    as_database_user sh -ec 'cd "$1"
        printf "%s\n" "[req]" "distinguished_name = name" "[name]" "[ca]" "basicConstraints = critical, CA:TRUE" \
            "keyUsage = critical, keyCertSign, cRLSign" "subjectKeyIdentifier = hash" "[server]" "basicConstraints = critical, CA:FALSE" \
            "keyUsage = critical, digitalSignature" "extendedKeyUsage = serverAuth" "subjectKeyIdentifier = hash" \
            "authorityKeyIdentifier = keyid" "subjectAltName = $2" >openssl.cnf
        key="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
        openssl req -config openssl.cnf -x509 -extensions ca -days 3650 -subj "/CN=cruddur-ops sandbox CA" $key -keyout ca.key -out ca.crt
        openssl req -config openssl.cnf -new -subj "/CN=cruddur-ops sandbox" $key -keyout server.key -out server.csr
        openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -set_serial "0x$3" -days 3650 -extfile openssl.cnf \
            -extensions server -out server.crt
        chmod 600 server.key
        rm -f ca.key server.csr openssl.cnf' \
        sh "$folder" "DNS:localhost, IP:127.0.0.1, IP:$gateway, DNS:host.docker.internal, DNS:gateway.docker.internal" \
        "$(random_text 8)" >>"$log" 2>&1 || fail 'failed to make a certificate' "see $log"
    mv "$folder" "$home/tls"
    printf '%s\n' "$gateway" >"$home/gateway"
}

# The complete configuration. The data are disposable, so it prefers speed to durability.
configure_database() { # configure_database PORT
    as_database_user tee "$home/data/postgresql.conf" >/dev/null <<CONF
listen_addresses = '127.0.0.1,$gateway'
port = $1
unix_socket_directories = ''
ssl = on
ssl_cert_file = '$home/tls/server.crt'
ssl_key_file = '$home/tls/server.key'
ssl_min_protocol_version = 'TLSv1.2'
password_encryption = 'scram-sha-256'
fsync = off
synchronous_commit = off
full_page_writes = off
shared_buffers = 32MB
huge_pages = off
max_connections = 60
timezone = 'UTC'
log_timezone = 'UTC'
log_min_error_statement = panic
log_line_prefix = '%m '
CONF
}

# A port outside the ephemeral range, free on both addresses.
free_database_port() {
    local port i
    for ((i = 0; i < 50; i++)); do
        port=$((20000 + RANDOM % 10000))
        if ! (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null && ! (: <"/dev/tcp/$gateway/$port") 2>/dev/null; then
            printf '%s' "$port"
            return 0
        fi
    done
    return 1
}

# Starts the server on this port; 1 when one of its addresses is taken.
start_server() { # start_server PORT
    local i
    configure_database "$1"
    # No server runs on these data, so a file of a killed server names another process.
    rm -f "$home/data/postmaster.pid"
    : >"$log"
    local -a program=("$database_programs/postgres" -D "$home/data")
    ! is_root || program=(setpriv --reuid=postgres --regid=postgres --init-groups "${program[@]}")
    start_daemon "$log" "$log" "${program[@]}"
    database_started=$daemon_pid
    for ((i = 0; i < 400; i++)); do
        if grep -q 'ready to accept connections' "$log"; then break; fi
        process_start "$daemon_pid" >/dev/null || break
        sleep 0.05
    done
    if grep -q 'Address already in use' "$log"; then
        stop_server "$daemon_pid"
        return 1
    fi
    if ! grep -q 'ready to accept connections' "$log" || ! grep -qF "listening on IPv4 address \"$gateway\"" "$log"; then
        fail "failed to start PostgreSQL: $(grep -m 1 'FATAL\|ERROR\|could not' "$log" | sed 's/^.*\(FATAL\|ERROR\|LOG\|WARNING\): *//')" "see $log"
    fi
    write_record "$state/database.pid" "$daemon_pid"
    printf '%s\n' "$1" >"$state/database.port"
}

stop_server() { # stop_server PID
    local start
    start=$(process_start "$1") || return 0
    # PostgreSQL waits for its clients at TERM, and not at INT.
    kill -INT "$1" 2>/dev/null || true
    end_process "$1" "$start" 15 || warn "failed to stop PostgreSQL (process $1)"
}

# Makes sure that the database runs and listens on the current bridge address. Sets $database_port; $database_started is the
# process that it started, if any.
database_up() {
    local home log pid port i
    home=$(database_home "$clone_key")
    log=$state/database.log
    database_started=''
    if pid=$(database_process "$home"); then
        port=$(cat "$state/database.port" 2>/dev/null || true)
        if database_is_right "$port"; then
            database_port=$port
            write_record "$state/database.pid" "$pid"
            return 0
        fi
        stop_server "$pid"
    fi
    make_database_home
    if ! [ -s "$state/password" ] || [ "$(cat "$home/data/PG_VERSION" 2>/dev/null)" != "$(server_version)" ]; then
        [ ! -d "$home/data" ] || say 'recreating the database: its password is lost, or the version of the server changed'
        make_cluster
    fi
    [ "$(cat "$home/gateway" 2>/dev/null)" = "$gateway" ] && [ -s "$home/tls/server.crt" ] || make_certificate
    cp "$home/tls/ca.crt" "$state/ca.crt"
    # The previous port, so that copied connection strings stay valid.
    port=$(cat "$state/database.port" 2>/dev/null || free_database_port) || fail 'no free port found'
    for ((i = 0; i < 5; i++)); do
        if start_server "$port"; then
            database_port=$port
            return 0
        fi
        port=$(free_database_port) || fail 'no free port found'
    done
    fail 'failed to find a port for PostgreSQL that is free on both addresses' "see $log"
}

# Whether the server answers on both addresses.
database_answers() { # database_answers PORT
    find_database_programs && "$database_programs/pg_isready" -q -h 127.0.0.1 -p "$1" -t 5 &&
        "$database_programs/pg_isready" -q -h "$gateway" -p "$1" -t 5
}

# Whether the running server fits this state folder and the current bridge.
database_is_right() { # database_is_right PORT
    [ -n "$1" ] && [ -s "$state/password" ] && [ -s "$state/ca.crt" ] && [ "$(cat "$home/gateway" 2>/dev/null)" = "$gateway" ] &&
        database_answers "$1"
}

database_down() { # database_down KEY
    local home pid
    for home in "/var/lib/cruddur-ops/$1" /var/tmp/cruddur-ops-*/"$1"; do
        if pid=$(database_process "$home"); then stop_server "$pid"; fi
    done
}
