# shellcheck shell=bash
# Stops the sandbox, and removes what it leaves. Sourced after leftovers.sh; uses the functions of scripts/sandbox that depend on
# the region.

# Stops the sandbox of this clone. Sets $region_is_ours to `no` when another clone's sandbox runs in the region.
stop_region() {
    read_values || engine_host=$(engine_endpoint)
    emulator_down "$state"
    database_down "$clone_key"
    rm -f "$state/values" "$state"/*.pid
    region_is_ours=yes
    if find_holder "$region"; then
        region_is_ours=no
        say "process $holder_pid is the sandbox of the clone $holder_clone in $region: it stays"
    elif engine_is_there; then
        remove_labelled "$label=$account-$region"
    fi
}

down() {
    local began was=no
    began=$(now_ms)
    lock_region
    if emulator_runs || database_runs; then was=yes; fi
    stop_region
    if [ "$was" = yes ]; then say "stopped ($(seconds_since "$began")); its data is kept"; fi
    printf 'the sandbox in %s is down\n' "$region"
}

clean_region() {
    lock_region
    stop_region
    remove_database_of "$clone_key"
    if [ "$region_is_ours" = yes ]; then forget_registry "$registry"; fi
    rm -rf "$state"
    drop_lock region_lock
}

clean_all() {
    local folder pid other
    local -a regions=()
    for folder in "$repo"/.sandbox/*/; do
        [ ! -d "$folder" ] || regions+=("$(basename "$folder")")
    done
    # A sandbox whose folder was removed while it ran.
    while IFS=$'\t' read -r pid other folder; do
        if [ "$folder" = "$repo/.sandbox/$other/aws" ] && [ ! -d "$repo/.sandbox/$other" ]; then regions+=("$other"); fi
    done < <(emulators)
    for other in "${regions[@]}"; do
        use_region "$other"
        clean_region
    done
    engine_host=$(engine_endpoint)
    remove_lost_sandboxes
    remove_shared
    rmdir "$repo/.sandbox" 2>/dev/null || true
}

clean() {
    local began
    began=$(now_ms)
    if [ "$all" = yes ]; then clean_all; else clean_region; fi
    say "cleaned ($(seconds_since "$began"))"
    [ "$warnings" = 0 ] || exit 4
}
