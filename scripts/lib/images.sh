# shellcheck shell=bash
# The `[[image]]` tables of ops.toml, as far as scripts need them. Sourced after messages.sh; $repo is the clone's folder.

# shellcheck source=scripts/lib/toml.sh
. "$repo/scripts/lib/toml.sh"

# The image that scripts/base-image makes when the real base image can't be pulled. Not called `python`, to avoid confusion.
stand_in=cruddur-ops/python-stand-in:bookworm

# image_value NAME KEY: a text of the table of this name, or of an inline table in it; 1 when there is none.
image_value() {
    awk -v name="$1" -v key="$2" "$toml_text"'
        function ended() { if (inside && is == name && value != "" && answer == "") answer = value }
        /^[ \t]*#/ { next }
        /^[ \t]*\[/ {
            if ($0 ~ /^[ \t]*\[[ \t]*image[ \t]*\./) next
            ended()
            inside = $0 ~ /^[ \t]*\[\[[ \t]*image[ \t]*\]\]/
            is = value = ""
            next
        }
        inside && is == "" { is = text_of("name") }
        inside && value == "" { value = text_of(key) }
        END {
            ended()
            if (answer == "") exit 1
            print answer
        }' "${OPS_CONFIG:-$repo/ops.toml}"
}

# The names of the tables, a line each, in the order of the file: an image follows those that it is built on.
image_names() {
    awk "$toml_text"'
        /^[ \t]*#/ { next }
        /^[ \t]*\[/ {
            inside = $0 ~ /^[ \t]*\[\[[ \t]*image[ \t]*\]\]/
            next
        }
        inside && /^[ \t]*name[ \t]*=/ { print text_of("name") }' "${OPS_CONFIG:-$repo/ops.toml}"
}
