# shellcheck shell=bash
# What scripts read of ops.toml with awk: a text of a line, inside an inline table of it too. Sourced; the tools read the file
# with a parser, and refuse what this would misread.

# A function for awk: text_of(KEY) is the text of that key in the line, "" when it has none.
# shellcheck disable=SC2034,SC2016 # for who sources it; awk's own $0
toml_text='
    function text_of(wanted,    found) {
        if (!match($0, "(^|[{, \t])" wanted "[ \t]*=[ \t]*(\"[^\"]*\"|\047[^\047]*\047)")) return ""
        found = substr($0, RSTART, RLENGTH)
        sub(/^[^"\047]*["\047]/, "", found)
        return substr(found, 1, length(found) - 1)
    }'
