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

# What a row shows of the document on stdin. Without a process, as json_text.
row_result() { # row_result RESULT
    local document arn others
    IFS= read -r -d '' document || true
    case $1 in
        count:*)
            others=${document//\"kind\":/}
            printf '%d %s' $(((${#document} - ${#others}) / 7)) "${1#count:}"
            ;;
        # What comes before it is only needed for it.
        name) last_name "$document" ;;
        # FAMILY:REVISION is what one types; the rest of the ARN is the account. One that is planned has only a family.
        revision)
            arn=$(json_text arn <<<"$document")
            if [ -n "$arn" ]; then printf '%s' "${arn##*/}"; else last_name "$document"; fi
            ;;
        *) json_text "$1" <<<"$document" ;;
    esac
}

last_name() { json_text name <<<"${1##*\"kind\":}"; } # last_name DOCUMENT: of its last item
