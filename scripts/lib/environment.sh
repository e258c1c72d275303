# shellcheck shell=bash
# The environment that makes a shell use the sandbox only. Sourced after images.sh, database.sh and
# emulator.sh; $state is the sandbox's folder.

# Variables that an SDK, the aws CLI or the docker CLI reads and the sandbox unsets, beside every AWS_* of the caller.
foreign_names=(
    AWS_PROFILE AWS_DEFAULT_PROFILE AWS_SESSION_TOKEN AWS_SECURITY_TOKEN AWS_CREDENTIAL_EXPIRATION
    AWS_ROLE_ARN AWS_ROLE_SESSION_NAME AWS_WEB_IDENTITY_TOKEN_FILE AWS_BEARER_TOKEN_BEDROCK
    AWS_CONTAINER_CREDENTIALS_RELATIVE_URI AWS_CONTAINER_CREDENTIALS_FULL_URI
    AWS_CONTAINER_AUTHORIZATION_TOKEN AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE
    AWS_CA_BUNDLE AWS_USE_FIPS_ENDPOINT AWS_USE_DUALSTACK_ENDPOINT AWS_IGNORE_CONFIGURED_ENDPOINT_URLS
    AWS_ENDPOINT_URL_ECR AWS_ENDPOINT_URL_ECS AWS_ENDPOINT_URL_IAM AWS_ENDPOINT_URL_CLOUDWATCH_LOGS
    AWS_ENDPOINT_URL_SSM AWS_ENDPOINT_URL_STS AWS_ENDPOINT_URL_DYNAMODB AWS_ENDPOINT_URL_S3
    DOCKER_CONTEXT DOCKER_TLS DOCKER_TLS_VERIFY DOCKER_CERT_PATH
)

quoted() { printf "'%s'" "${1//\'/\'\\\'\'}"; } # quoted TEXT: one word for sh, bash and zsh

url_encoded() { # url_encoded TEXT
    local LC_ALL=C text=$1 i letter
    for ((i = 0; i < ${#text}; i++)); do
        letter=${text:i:1}
        case $letter in
            [a-zA-Z0-9/._~-]) printf '%s' "$letter" ;;
            *)
                # A byte above 127 may come as a negative number.
                printf -v letter %d "'$letter"
                printf '%%%02X' $((letter & 255))
                ;;
        esac
    done
}

# Stores the values that `env` prints. Written last: the sandbox is not up without this file.
write_values() {
    local part=$state/values.part name subnets groups
    subnets=$(call_query ec2 2016-11-15 DescribeSubnets | xml_text subnetId | sort -u | paste -sd, -)
    groups=$(call_query ec2 2016-11-15 DescribeSecurityGroups Filter.1.Name=group-name Filter.1.Value.1=default |
        xml_text groupId | sort -u | head -n 1)
    [ -n "$subnets" ] && [ -n "$groups" ] || fail 'the AWS emulator named no subnets or no security group' "see $state/emulator.log"
    for name in endpoint registry registry_address engine_host gateway database_port subnets groups venv; do
        printf '%s=%q\n' "$name" "${!name}"
    done >"$part"
    mv "$part" "$state/values"
}

# Values of the demo's parameters: random, so that a leak is found, and kept, so that the second run has the same.
make_dummies() {
    local name
    for name in access-key secret-key rollbar honeycomb; do
        [ -s "$state/$name" ] || random_text 20 >"$state/$name"
    done
}

# Whether the stand-in is used: it exists, and the real base image does not.
stand_in_needed() {
    local real
    real=$(image_value cruddur-python from) || return 1
    [ "$(call_engine "/images/$stand_in/json" --output /dev/null --write-out '%{http_code}')" = 200 ] &&
        [ "$(call_engine "/images/$real/json" --output /dev/null --write-out '%{http_code}')" != 200 ]
}

print_environment() {
    local name base from path=$state/bin url entry
    local -a names=("${foreign_names[@]}") entries
    for name in "${!AWS_@}"; do
        case " ${foreign_names[*]} " in *" $name "*) ;; *) names+=("$name") ;; esac
    done
    # What libpq reads beside a connection string.
    for name in ${!PG@}; do
        case $name in
            PGHOST | PGHOSTADDR | PGPORT | PGDATABASE | PGUSER | PGPASS* | PGSERVICE* | PGSSL* | PGREQUIRE* | PGOPTIONS | \
                PGCHANNELBINDING | PGTARGETSESSIONATTRS | PGGSS* | PGKRB* | PGAPPNAME | PGCLIENTENCODING | PGCONNECT_TIMEOUT) names+=("$name") ;;
        esac
    done
    base=cruddur-python=$stand_in
    from=${OPS_IMAGE_FROM:-}
    if [ -z "$from" ] || [ "$from" = "$base" ]; then
        if stand_in_needed; then from=$base; else from='' names+=(OPS_IMAGE_FROM); fi
    fi
    printf 'unset %s\n' "${names[*]}"

    url=postgresql://$database_user:$(cat "$state/password")
    IFS=: read -ra entries <<<"$PATH"
    for entry in "${entries[@]}"; do
        case $entry in
            "$repo/.sandbox/"*) ;; # this clone's, from the last time
            *) path+=:$entry ;;
        esac
    done
    export_lines \
        OPS_SANDBOX "$region" \
        AWS_REGION "$region" \
        AWS_DEFAULT_REGION "$region" \
        AWS_ACCOUNT_ID "$account" \
        AWS_ACCESS_KEY_ID "sandbox-$(cat "$state/access-key")" \
        AWS_SECRET_ACCESS_KEY "$(cat "$state/secret-key")" \
        AWS_ENDPOINT_URL "$endpoint" \
        AWS_CONFIG_FILE /dev/null \
        AWS_SHARED_CREDENTIALS_FILE /dev/null \
        AWS_EC2_METADATA_DISABLED true \
        DOCKER_CONFIG "$state/docker" \
        DOCKER_HOST "$engine_host" \
        ECR_REGISTRY "$registry" \
        CONNECTION_URL "$url@localhost:$database_port/$database_name?sslmode=verify-full&sslrootcert=$(url_encoded "$state/ca.crt")" \
        PROD_CONNECTION_URL "$url@$gateway:$database_port/$database_name?sslmode=require" \
        ROLLBAR_ACCESS_TOKEN "$(cat "$state/rollbar")" \
        HONEYCOMB_API_KEY "$(cat "$state/honeycomb")" \
        SUBNET_IDS "$subnets" \
        SECURITY_GROUP_IDS "$groups" \
        PATH "$path"
    [ -z "$from" ] || export_lines OPS_IMAGE_FROM "$from"
    # A proxy can't reach this machine's loopback addresses.
    if [ -n "${http_proxy:-}${HTTP_PROXY:-}${https_proxy:-}${HTTPS_PROXY:-}${all_proxy:-}${ALL_PROXY:-}" ]; then
        from=${NO_PROXY:-${no_proxy:-}}
        for name in localhost 127.0.0.1 "$gateway" "$registry"; do
            case ,$from, in *",$name,"*) ;; *) from+=${from:+,}$name ;; esac
        done
        export_lines NO_PROXY "$from" no_proxy "$from"
    fi
}

export_lines() { # export_lines NAME VALUE…
    while [ $# -gt 0 ]; do
        printf 'export %s=%s\n' "$1" "$(quoted "$2")"
        shift 2
    done
}
