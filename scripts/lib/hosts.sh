# shellcheck shell=bash
# The registries' host names in /etc/hosts: a marked block with one line a region. The block also records the loopback address
# of each region. Sourced after messages.sh and places.sh.

hosts_file=/etc/hosts
hosts_begin='# cruddur-ops sandbox: begin (written by scripts/sandbox)'
hosts_end='# cruddur-ops sandbox: end'
registry_network=127.0.66

# Splits the file into $hosts_others and the lines of the block, $hosts_lines.
hosts_read() {
    local text
    [ -r "$hosts_file" ] || fail "failed to read $hosts_file"
    text=$(cat "$hosts_file" && printf x)
    hosts_others=${text%x} hosts_lines=''
    [ -z "$hosts_others" ] || [ "${hosts_others: -1}" = $'\n' ] || hosts_others+=$'\n'
    case $hosts_others in
        *"$hosts_begin"$'\n'*"$hosts_end"$'\n'*)
            text=${hosts_others#*"$hosts_begin"$'\n'}
            hosts_lines=${text%%"$hosts_end"$'\n'*}
            hosts_others=${hosts_others%%"$hosts_begin"$'\n'*}${text#*"$hosts_end"$'\n'}
            ;;
    esac
    case $hosts_others in
        *"$hosts_begin"* | *"$hosts_end"*)
            fail "the sandbox's block in $hosts_file is damaged" 'remove its lines by hand: from `cruddur-ops sandbox: begin` to `end`'
            ;;
    esac
}

# The address of a host in the block; 1 without one. After hosts_read.
hosts_address() { # hosts_address HOST
    local address name
    while read -r address name; do
        if [ "$name" = "$1" ]; then printf '%s' "$address" && return 0; fi
    done <<<"$hosts_lines"
    return 1
}

hosts_have() { grep -qwF "$1" <<<"$hosts_others$hosts_lines"; } # hosts_have ADDRESS

# An address of the network that is not in the file, and whose port 80 is free.
hosts_free_address() {
    local number address
    for ((number = 1; number < 255; number++)); do
        address=$registry_network.$number
        if ! hosts_have "$address" && ! (: <"/dev/tcp/$address/80") 2>/dev/null; then
            printf '%s' "$address"
            return 0
        fi
    done
    return 1
}

hosts_writable() { [ -w "$hosts_file" ]; }

# Writes the file with these lines as the block. In place, because a bind mount, as in a container, can't be replaced. The text is
# overwritten and then truncated, so that no reader finds the file empty.
hosts_write() { # hosts_write LINES
    local text=$hosts_others who=''
    [ -z "$1" ] || text+=$hosts_begin$'\n'$1$hosts_end$'\n'
    hosts_writable || who=as_root
    # shellcheck disable=SC2016 # the words are for the inner shell, which Ctrl-C must not interrupt
    printf '%s' "$text" | $who sh -c 'trap "" INT TERM HUP
        dd of="$1" bs=1M iflag=fullblock conv=notrunc,nocreat status=none && truncate -s "$2" "$1"' \
        sh "$hosts_file" "$(printf '%s' "$text" | wc -c)" ||
        fail "failed to write $hosts_file"
}

# Adds a line for the host, unless there is one, and sets $registry_address. PREFERRED, the address of a running registry, is
# used unless another host has it.
hosts_add() { # hosts_add HOST [PREFERRED]
    local lock line
    take_lock lock hosts 30 || fail "failed to change $hosts_file: it is locked" "see who holds $(machine_lock_file hosts)"
    hosts_read
    line=$(awk -v host="$1" '{ sub(/#.*/, "") } { for (i = 2; i <= NF; i++) if (tolower($i) == host) { print; exit } }' <<<"$hosts_others")
    [ -z "$line" ] || fail "$hosts_file sends \`$1\` elsewhere: \`$line\`" 'remove that line: the sandbox writes its own'
    if ! registry_address=$(hosts_address "$1"); then
        registry_address=${2:-}
        if [ -z "$registry_address" ] || hosts_have "$registry_address"; then registry_address=$(hosts_free_address) || registry_address=''; fi
        [ -n "$registry_address" ] ||
            fail "port 80 is taken on all of $registry_network.1 to .254" "\`ss -ltnp 'sport = :80'\` shows who listens there"
        hosts_write "$hosts_lines$registry_address $1"$'\n'
    fi
    drop_lock lock
}

# Removes the lines of the hosts.
hosts_remove() { # hosts_remove HOST…
    local lock host address name kept=''
    take_lock lock hosts 30 || fail "failed to change $hosts_file: it is locked" "see who holds $(machine_lock_file hosts)"
    hosts_read
    while read -r address name; do
        [ -n "$name" ] || continue
        for host; do
            [ "$name" != "$host" ] || continue 2
        done
        kept+="$address $name"$'\n'
    done <<<"$hosts_lines"
    if [ "$kept" != "$hosts_lines" ]; then hosts_write "$kept"; fi
    drop_lock lock
}
