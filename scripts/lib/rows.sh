# shellcheck shell=bash
# The tools of the job, in the order of their dependencies. Sourced; scripts/journey runs them, scripts/status checks them,
# scripts/deploy shows their plans. $repo is the clone's folder.

# The scripts change the folder after this.
case ${OPS_CONFIG:-} in
    '' | /*) ;;
    *) export OPS_CONFIG=$PWD/$OPS_CONFIG ;;
esac

# shellcheck source=scripts/lib/images.sh
. "$repo/scripts/lib/images.sh"
# shellcheck source=scripts/lib/parameters.sh
. "$repo/scripts/lib/parameters.sh"

# One line a row: its label; the part of the tool's document that is shown (a key, or `count:NOUN`, the number of items); and the
# command, relative to the clone.
tool_rows() {
    local image
    row create-log-group name bin/logs/create-log-group
    row create-cluster name bin/ecs/create-cluster
    row create-roles count:roles bin/iam/create-roles
    row create-repository count:repositories bin/ecr/create-repository
    row ecr-login name bin/ecr/login
    while IFS= read -r image; do
        row "push-image $image" uri "bin/ecr/push-image $image"
    done < <(image_names)
    row put-params count:parameters bin/ssm/put-params
    row register-task-definition revision bin/ecs/register-task-definition
    row deploy-service name bin/ecs/deploy-service
}

row() { printf '%s\t%s\t%s\n' "$@"; }

# Sets $journey_steps to the number of steps of scripts/journey: the rows, and the final probes.
count_journey_steps() {
    journey_steps=$(tool_rows | wc -l)
    database_parameter
    if [ -n "${OPS_SANDBOX:-}" ]; then
        journey_steps=$((journey_steps + 2))
        [ -z "$database_entry" ] || journey_steps=$((journey_steps + 2))
    else
        journey_steps=$((journey_steps + 1))
        [ -z "$database_entry" ] || journey_steps=$((journey_steps + 1))
    fi
}

# The part of a tool's document that a row shows.
find_result() { # find_result RESULT DOCUMENT: as $found
    local others
    case $1 in
        count:*)
            others=${2//\"kind\":/}
            found="$(((${#2} - ${#others}) / 7)) ${1#count:}"
            ;;
        # The name of the last item.
        name) find_text name "${2##*\"kind\":}" ;;
        # FAMILY:REVISION, without the rest of the ARN. A planned revision has only a family.
        revision)
            find_text arn "$2"
            found=${found##*/}
            [ -n "$found" ] || find_text name "${2##*\"kind\":}"
            ;;
        *) find_text "$1" "$2" ;;
    esac
}
