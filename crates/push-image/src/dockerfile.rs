//! The base images of a Dockerfile. They are pulled before the build, each with its own credentials, so that the build
//! finds them on the engine.

use registry::Reference;
use std::collections::BTreeMap;

/// An image that a Dockerfile names in `FROM` or `COPY --from`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Base {
    pub(crate) reference: Reference,
    /// The platform of `FROM --platform=…`.
    pub(crate) platform: Option<String>,
}

/// The base images of `text`, each once, in their order, up to the stage `target`. Names that are not image references
/// are skipped: the engine reports them with a better message.
pub(crate) fn bases(text: &str, arguments: &BTreeMap<String, String>, target: Option<&str>) -> Vec<Base> {
    let mut variables = BTreeMap::new();
    let mut stages: Vec<String> = Vec::new();
    let mut bases: Vec<Base> = Vec::new();
    for instruction in instructions(text) {
        let mut words = instruction.split_whitespace();
        let keyword = words.next().unwrap_or_default().to_ascii_uppercase();
        let found = match keyword.as_str() {
            // Only arguments before the first FROM apply to a FROM.
            "ARG" if stages.is_empty() => {
                for word in words {
                    declare(word, arguments, &mut variables);
                }
                continue;
            }
            "FROM" => {
                // The target stage is complete.
                if stages
                    .last()
                    .is_some_and(|last| is_target(last, stages.len() - 1, target))
                {
                    break;
                }
                let (flags, rest): (Vec<&str>, Vec<&str>) = words.partition(|word| word.starts_with("--"));
                let platform = flags.iter().find_map(|flag| flag.strip_prefix("--platform="));
                let image = substitute(rest.first().copied().unwrap_or_default(), &variables);
                let known = stages.iter().any(|stage| stage.eq_ignore_ascii_case(&image));
                let name = match rest.get(1..3) {
                    Some([word, name]) if word.eq_ignore_ascii_case("AS") => (*name).to_owned(),
                    _ => String::new(),
                };
                stages.push(name);
                (!known && image != "scratch")
                    .then(|| (image, platform.map(|text| substitute(text, &variables))))
            }
            "COPY" => words
                .take_while(|word| word.starts_with("--"))
                .find_map(|word| word.strip_prefix("--from="))
                .filter(|from| {
                    from.parse::<usize>().is_err()
                        && !stages.iter().any(|stage| stage.eq_ignore_ascii_case(from))
                })
                .map(|from| (from.to_owned(), None)),
            _ => None,
        };
        let base = found.and_then(|(image, platform)| {
            let reference = Reference::parse(&image).ok()?;
            let platform = platform.filter(|platform| !platform.is_empty());
            Some(Base { reference, platform })
        });
        bases.extend(base.filter(|base| !bases.contains(base)));
    }
    bases
}

/// A target is the name or the number of a stage.
fn is_target(stage: &str, number: usize, target: Option<&str>) -> bool {
    target.is_some_and(|target| stage.eq_ignore_ascii_case(target) || target.parse() == Ok(number))
}

/// The instructions, each on one line, without comments and with continuation lines joined.
fn instructions(text: &str) -> Vec<String> {
    let escape = escape_character(text);
    let mut instructions = Vec::new();
    let mut open = String::new();
    for line in text.trim_start_matches('\u{feff}').lines() {
        let line = line.trim();
        // Comments and empty lines between continuation lines are skipped.
        if line.starts_with('#') || line.is_empty() {
            continue;
        }
        match line.strip_suffix(escape) {
            Some(part) => open.push_str(part),
            None => {
                open.push_str(line);
                instructions.push(std::mem::take(&mut open));
            }
        }
    }
    instructions.push(open);
    instructions
}

/// The character of the directive `# escape=` in the first lines, by default a backslash.
fn escape_character(text: &str) -> char {
    text.lines()
        .map_while(|line| line.trim().strip_prefix('#'))
        .filter_map(|line| line.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("escape"))
        .and_then(|(_, value)| value.trim().chars().next())
        .unwrap_or('\\')
}

/// `ARG NAME=default`: sets the variable to the given argument, else to the default.
fn declare(word: &str, arguments: &BTreeMap<String, String>, variables: &mut BTreeMap<String, String>) {
    let (name, default) = match word.split_once('=') {
        Some((name, default)) => (name, Some(default)),
        None => (word, None),
    };
    let value = match (arguments.get(name), default) {
        (Some(given), _) => given.clone(),
        (None, Some(default)) => substitute(default.trim_matches(['"', '\'']), variables),
        (None, None) => return,
    };
    variables.insert(name.to_owned(), value);
}

/// `text` with `$NAME`, `${NAME}`, `${NAME:-word}` and `${NAME:+word}` replaced.
fn substitute(text: &str, variables: &BTreeMap<String, String>) -> String {
    let mut replaced = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        replaced.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let (expression, after) = match rest.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
            Some(split) => split,
            None => {
                let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
                rest.split_at(end.unwrap_or(rest.len()))
            }
        };
        let (name, otherwise) = match expression.split_once(':') {
            Some((name, otherwise)) => (name, Some(otherwise)),
            None => (expression, None),
        };
        let value = variables
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty());
        replaced.push_str(match otherwise.map(|text| text.split_at(text.len().min(1))) {
            Some(("-", default)) => value.unwrap_or(default),
            Some(("+", replacement)) => value.map_or("", |_| replacement),
            _ => value.unwrap_or_default(),
        });
        rest = after;
    }
    replaced + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The base images of `text`, with ` on PLATFORM` where there is one.
    fn found(text: &str, arguments: &[(&str, &str)], target: Option<&str>) -> Vec<String> {
        let arguments = arguments
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let names = bases(text, &arguments, target).into_iter().map(|base| {
            let platform = base.platform.map(|platform| format!(" on {platform}"));
            base.reference.to_string() + &platform.unwrap_or_default()
        });
        names.collect()
    }

    #[test]
    fn finds_the_base_images() {
        let cases: [(&str, &[&str]); 12] = [
            ("FROM alpine", &["docker.io/library/alpine"]),
            ("FROM scratch\nCOPY a /", &[]),
            (
                "# syntax=docker/dockerfile:1\n\nfrom alpine:3 as x\n",
                &["docker.io/library/alpine:3"],
            ),
            (
                "FROM alpine AS build\nRUN x\nFROM build\nFROM debian\nCOPY --from=build /a /b\nCOPY --from=0 /a /b\n",
                &["docker.io/library/alpine", "docker.io/library/debian"],
            ),
            (
                "FROM alpine AS Build\nCOPY --chown=1 --from=ghcr.io/a/b:1 /a /\nCOPY --from=BUILD / /",
                &["docker.io/library/alpine", "ghcr.io/a/b:1"],
            ),
            ("FROM alpine\nFROM alpine", &["docker.io/library/alpine"]),
            (
                "FROM --platform=linux/arm64 alpine\nFROM alpine",
                &[
                    "docker.io/library/alpine on linux/arm64",
                    "docker.io/library/alpine",
                ],
            ),
            (
                "ARG BASE=debian:12\nFROM ${BASE}",
                &["docker.io/library/debian:12"],
            ),
            (
                "ARG A=\"debian\" V=12\nFROM $A:$V-slim",
                &["docker.io/library/debian:12-slim"],
            ),
            ("FROM ${NOT:-alpine}${NOT:+x}", &["docker.io/library/alpine"]),
            (
                "FROM \\\n  # a comment\n\n  alpine \\\n  AS x",
                &["docker.io/library/alpine"],
            ),
            ("# escape=`\nFROM `\n alpine", &["docker.io/library/alpine"]),
        ];
        for (text, expected) in cases {
            assert_eq!(found(text, &[], None), expected, "{text}");
        }
    }

    #[test]
    fn a_declared_argument_takes_precedence_over_its_default() {
        let given = [("BASE", "host.example/base:1"), ("OTHER", "other")];
        assert_eq!(
            found("ARG BASE=debian\nFROM $BASE", &given, None),
            ["host.example/base:1"]
        );
        assert_eq!(
            found("ARG BASE\nFROM $BASE", &given, None),
            ["host.example/base:1"]
        );
        assert_eq!(
            found("ARG X=${BASE}\nARG BASE\nFROM ${OTHER:-debian}", &given, None),
            ["docker.io/library/debian"],
            "not declared"
        );
        assert_eq!(
            found("FROM debian\nARG BASE\nFROM ${BASE:-alpine}", &given, None),
            ["docker.io/library/debian", "docker.io/library/alpine"],
            "declared inside a stage"
        );
    }

    #[test]
    fn stages_after_the_target_are_ignored() {
        let text = "FROM a AS one\nFROM b AS two\nCOPY --from=c / /\nFROM d AS three";
        let names = |target| found(text, &[], target).len();
        assert_eq!(names(None), 4);
        assert_eq!(names(Some("one")), 1);
        assert_eq!(names(Some("TWO")), 3);
        assert_eq!(names(Some("1")), 3);
        assert_eq!(names(Some("three")), 4);
    }

    #[test]
    fn malformed_files_have_no_base_images() {
        for text in [
            "",
            "FROM",
            "FROM ${",
            "FROM $",
            "FROM UPPER CASE",
            "COPY --from= a b",
            "\\",
            "FROM a b c d",
        ] {
            let _ = found(text, &[], None);
        }
        assert_eq!(found("FROM Not/A/Reference", &[], None), [""; 0]);
    }
}
