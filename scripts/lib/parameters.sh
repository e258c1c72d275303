# shellcheck shell=bash
# The parameter of ops.toml that is the app's database. Sourced; $repo is the clone's folder.

# shellcheck source=scripts/lib/toml.sh
. "$repo/scripts/lib/toml.sh"

# database_parameter: the first entry of [params.entry] with `check = "postgres-url"`, as $database_entry, and the variable
# that its value is taken from, as $database_variable; both empty where the app has no database.
database_parameter() {
    local line
    line=$(awk "$toml_text"'
        function ended() {
            if (entry != "" && check == "postgres-url") {
                print entry "\t" variable
                entry = ""
                exit
            }
            entry = variable = check = ""
        }
        /^[ \t]*#/ { next }
        /^[ \t]*\[/ {
            ended()
            entries = $0 ~ /^[ \t]*\[[ \t]*params\.entry[ \t]*\]/
            # An entry as a table of its own.
            if (match($0, /^[ \t]*\[[ \t]*params\.entry\.[A-Za-z0-9_-]+/)) {
                entry = substr($0, RSTART, RLENGTH)
                sub(/.*\./, "", entry)
            }
            next
        }
        # TOML requires an inline table to be on one line.
        entries && /^[ \t]*[A-Za-z0-9_-]+[ \t]*=/ {
            entry = $0
            gsub(/^[ \t]*|[ \t]*=.*$/, "", entry)
            variable = text_of("env")
            check = text_of("check")
            ended()
            next
        }
        entry != "" {
            if (variable == "") variable = text_of("env")
            if (check == "") check = text_of("check")
        }
        END { ended() }' "${OPS_CONFIG:-$repo/ops.toml}")
    database_entry=${line%%$'\t'*} database_variable=${line#*$'\t'}
}
