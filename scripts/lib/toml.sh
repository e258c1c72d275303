# shellcheck shell=bash
# Reads texts of ops.toml with awk, line by line. Sourced. The tools read the file with a parser, and reject a file that this would
# misread.

# A function for awk: text_of(KEY) is the text of that key in the line, or of an inline table in it; "" without one.
# shellcheck disable=SC2034,SC2016 # for the script that sources it; awk's own $0
toml_text='
    function text_of(key,    found) {
        if (!match($0, "(^|[{, \t])" key "[ \t]*=[ \t]*(\"[^\"]*\"|\047[^\047]*\047)")) return ""
        found = substr($0, RSTART, RLENGTH)
        sub(/^[^"\047]*["\047]/, "", found)
        return substr(found, 1, length(found) - 1)
    }'
