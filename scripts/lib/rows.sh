# shellcheck shell=bash
# The tools of the job, in the order in which they need each other. Sourced; scripts/journey runs them, scripts/status asks
# them, scripts/deploy shows their plans.

# One line a row: its label; what its line shows of the tool's answer (a text of the document, or with `count:WORD` the number
# of its items, which WORD names); and the command, from the top of the clone.
tool_rows() {
    printf '%s\t%s\t%s\n' \
        create-log-group name bin/logs/create-log-group \
        create-cluster name bin/ecs/create-cluster \
        create-roles count:roles bin/iam/create-roles \
        create-repository count:repositories bin/ecr/create-repository \
        ecr-login name bin/ecr/login \
        'push-image cruddur-python' uri 'bin/ecr/push-image cruddur-python' \
        'push-image backend-flask' uri 'bin/ecr/push-image backend-flask' \
        put-params count:parameters bin/ssm/put-params \
        register-task-definition revision bin/ecs/register-task-definition \
        deploy-service name bin/ecs/deploy-service
}

# What a row shows of its tool's document.
find_result() { # find_result RESULT DOCUMENT: as $found
    local others
    case $1 in
        count:*)
            others=${2//\"kind\":/}
            found="$(((${#2} - ${#others}) / 7)) ${1#count:}"
            ;;
        # What comes before the last item is only needed for it.
        name) find_text name "${2##*\"kind\":}" ;;
        # FAMILY:REVISION is what one types; the rest of the ARN is the account. One that is planned has only a family.
        revision)
            find_text arn "$2"
            found=${found##*/}
            [ -n "$found" ] || find_text name "${2##*\"kind\":}"
            ;;
        *) find_text "$1" "$2" ;;
    esac
}
