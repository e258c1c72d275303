# shellcheck shell=bash
# Removal of what a sandbox leaves on the machine: containers, images, host names, data. Sourced after the other parts of the
# sandbox.

label=cruddur-ops.sandbox

engine_is_there() { [ -S "${engine_host#unix://}" ] && [ -w "${engine_host#unix://}" ] && engine_info "$engine_host" >/dev/null; }

docker_here() { DOCKER_HOST=$engine_host docker "$@"; }

# Containers and networks with this label.
remove_labelled() { # remove_labelled LABEL
    local ids
    ids=$(docker_here ps --all --quiet --filter "label=$1")
    # shellcheck disable=SC2086 # a list of ids
    [ -z "$ids" ] || docker_here rm --force --volumes $ids >/dev/null 2>&1 || warn "failed to remove containers labelled \`$1\`"
    ids=$(docker_here network ls --quiet --filter "label=$1")
    # shellcheck disable=SC2086 # a list of ids
    [ -z "$ids" ] || docker_here network rm $ids >/dev/null 2>&1 || warn "failed to remove networks labelled \`$1\`"
}

# The local names of a registry's images. By name, not by id: the same image may have other names.
remove_images() { # remove_images REGISTRY
    local repository tag digest
    docker_here images --all --digests --format '{{.Repository}} {{.Tag}} {{.Digest}}' | while read -r repository tag digest; do
        case $repository in "$1"/*) ;; *) continue ;; esac
        if [ "$tag" != '<none>' ]; then docker_here rmi --force "$repository:$tag"; fi
        if [ "$digest" != '<none>' ]; then docker_here rmi --force "$repository@$digest"; fi
    done >/dev/null 2>&1 || true
}

hosts_left=''

# The local images of a registry, and its line in /etc/hosts.
forget_registry() { # forget_registry REGISTRY
    if engine_is_there; then remove_images "$1"; fi
    hosts_read
    hosts_address "$1" >/dev/null || return 0
    if hosts_writable || root_allowed "remove $1 from $hosts_file"; then
        hosts_remove "$1"
    elif ! [[ $hosts_left == *" $1 "* ]]; then
        hosts_left+=" $1 "
        warn "$hosts_file still names $1: removing the line needs root"
    fi
}

# The regions of containers, images and host names on this machine.
regions_seen() {
    if engine_is_there; then
        docker_here ps --all --filter "label=$label" --format "{{.Label \"$label\"}}" | sed "s/^$account-//"
        docker_here images --format '{{.Repository}}' | sed -n "s|^$account\.dkr\.ecr\.\([^/]*\)\.amazonaws\.com/.*|\1|p"
    fi
    hosts_read
    sed -n "s/.* $account\.dkr\.ecr\.\(.*\)\.amazonaws\.com\$/\1/p" <<<"$hosts_lines"
}

# Removes sandboxes of deleted clones, and the remains of killed sandboxes. A region that another script is changing is skipped.
remove_lost_sandboxes() {
    local pid other folder home lock
    for home in /var/lib/cruddur-ops/* /var/tmp/cruddur-ops-*/*; do
        if [ -r "$home/clone" ] && { is_root || [ -O "$home" ]; }; then
            other=${home##*/}
            folder=$(cat "$home/clone")/.sandbox/${other#*-}
            [ -d "$folder" ] || remove_database "$home"
        fi
    done
    while IFS=$'\t' read -r pid other folder; do
        case $folder in */.sandbox/"$other"/aws) ;; *) continue ;; esac
        if [ ! -d "${folder%/aws}" ] && kill -0 "$pid" 2>/dev/null; then
            emulator_down "${folder%/aws}"
            # It has saved its state there.
            rm -rf "$folder"
            rmdir -p "${folder%/aws}" 2>/dev/null || true
        fi
    done < <(emulators)
    for other in $(regions_seen | sort -u); do
        if take_lock lock "sandbox-$account-$other" 0 && ! find_holder "$other"; then
            ! engine_is_there || remove_labelled "$label=$account-$other"
            forget_registry "$(registry_of "$other")"
        fi
        drop_lock lock
    done
}

remove_database_of() { # remove_database_of KEY: of all users of this clone
    local home
    for home in "/var/lib/cruddur-ops/$1" /var/tmp/cruddur-ops-*/"$1"; do
        [ ! -d "$home" ] || remove_database "$home"
    done
}

remove_database() { # remove_database HOME
    local pid
    if pid=$(database_process "$1"); then stop_server "$pid"; fi
    rm -rf "$1" || warn "failed to remove $1"
    rmdir "${1%/*}" 2>/dev/null || true
}

# Removes what all sandboxes of the machine share: the stand-in image, and the engine, if a sandbox started it.
remove_shared() {
    local others
    others=$(emulators | cut -f 2 | paste -sd ' ' -)
    if [ -n "$others" ]; then
        say "the Docker engine and the stand-in image stay: a sandbox runs in $others"
        return 0
    fi
    if engine_is_there; then docker_here rmi --force "$stand_in" >/dev/null 2>&1 || true; fi
    if [ -e "$engine_record" ]; then
        if root_allowed 'stop the Docker engine'; then engine_stop; else warn 'the Docker engine still runs: stopping it needs root'; fi
    fi
}
