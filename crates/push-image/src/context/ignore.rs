//! `.dockerignore`: the files of the context that are not sent.

use crate::context::pattern::{InvalidPattern, Pattern};
use anyhow::Result;
use cli::{ErrorKind, Failure};

/// The rules of one file. The last rule that matches a path applies.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ignore {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    /// `!pattern`: includes what earlier rules exclude.
    exception: bool,
    pattern: Pattern,
}

impl Ignore {
    /// Parses the text of the file `name`.
    ///
    /// # Errors
    /// When a pattern is malformed. The message has its line.
    pub(crate) fn parse(name: &str, text: &str) -> Result<Self> {
        let mut rules = Vec::new();
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (number, line) in text.lines().enumerate() {
            let rule = rule(line).map_err(|InvalidPattern(reason)| {
                Failure::error(format!("failed to read `{name}`, line {}: {reason}", number + 1))
                    .kind(ErrorKind::Config)
                    .code("dockerignore")
            })?;
            rules.extend(rule);
        }
        Ok(Ignore { rules })
    }

    /// Whether `path`, relative to the context, is excluded. A rule that matches a folder applies to everything in it.
    pub(crate) fn excludes(&self, path: &str) -> bool {
        self.rules.iter().fold(false, |excluded, rule| {
            // Only rules that would change the result are evaluated.
            if rule.exception == excluded && rule.applies_to(path) {
                !rule.exception
            } else {
                excluded
            }
        })
    }

    /// Whether an exception may match something in the excluded folder `folder`.
    pub(crate) fn may_include_below(&self, folder: &str) -> bool {
        self.rules
            .iter()
            .any(|rule| rule.exception && rule.pattern.may_match_below(folder))
    }
}

impl Rule {
    fn applies_to(&self, path: &str) -> bool {
        let folders = path.match_indices('/').map(|(at, _)| &path[..at]);
        self.pattern.matches(path) || folders.into_iter().any(|folder| self.pattern.matches(folder))
    }
}

/// The rule of one line; `None` for an empty line and a comment.
fn rule(line: &str) -> Result<Option<Rule>, InvalidPattern> {
    // Only a `#` in the first column starts a comment.
    if line.starts_with('#') {
        return Ok(None);
    }
    let line = line.trim();
    let (exception, text) = match line.strip_prefix('!') {
        Some(text) => (true, text.trim()),
        None => (false, line),
    };
    if text.is_empty() {
        return if exception {
            Err(InvalidPattern("a `!` without a pattern"))
        } else {
            Ok(None)
        };
    }
    let cleaned = clean(text);
    let text = match cleaned.strip_prefix('/') {
        Some(rest) if !rest.is_empty() => rest,
        _ => &cleaned,
    };
    Pattern::parse(text).map(|pattern| Some(Rule { exception, pattern }))
}

/// The shortest equivalent path, without access to the file system (Go's `filepath.Clean`).
fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ignore(text: &str) -> Ignore {
        Ignore::parse(".dockerignore", text).unwrap()
    }

    /// The lines of the file, a path, and whether it is excluded.
    #[test]
    fn the_last_rule_that_matches_applies() {
        let rows: [(&str, &str, bool); 44] = [
            ("", "file", false),
            ("file", "file", true),
            ("file", "dir/file", false),
            ("dir", "dir", true),
            ("dir", "dir/file", true),
            ("dir", "dir/a/b", true),
            ("dir", "dirs", false),
            ("dir/", "dir/file", true),
            ("/dir", "dir/file", true),
            ("./dir", "dir", true),
            ("dir/../other", "other", true),
            ("../other", "other", false),
            ("a//b", "a/b", true),
            (".", "file", false),
            ("/", "file", false),
            ("*", "file", true),
            ("*", "dir/file", true),
            ("*.txt", "a.txt", true),
            ("*.txt", "dir/a.txt", false),
            // A rule that matches a folder applies to everything in it.
            ("*/b", "a/b/c/d", true),
            ("**/b", "x/a/b/c", true),
            ("dir/**", "dir", false),
            ("dir/**", "dir/a/b", true),
            // Exceptions, before and after.
            ("*\n!file", "file", false),
            ("!file\n*", "file", true),
            ("*\n!dir", "dir/a", false),
            ("dir\n!dir/a", "dir/a", false),
            ("dir\n!dir/a", "dir/b", true),
            ("dir\n!dir/a\ndir/a", "dir/a", true),
            ("docs\n!docs/*.md", "docs/a.md", false),
            ("docs\n!docs/*.md", "docs/a.txt", true),
            ("*.md\n!README*.md\nREADME-secret.md", "README.md", false),
            ("*.md\n!README*.md\nREADME-secret.md", "README-secret.md", true),
            ("**\n!dir/file", "dir/file", false),
            ("**\n!**/*.py", "a/b/c.py", false),
            ("**\n!**/*.py", "a/b/c.txt", true),
            ("dir\n! dir/a", "dir/a", false),
            // White space, comments, line ends.
            ("\u{feff}file", "file", true),
            ("# file\nother", "file", false),
            (" #file", "#file", true),
            ("  file  \r\nother\r\n", "file", true),
            ("  file  \r\nother\r\n", "other", true),
            ("\n\n \t\nfile", "file", true),
            ("file name", "file name", true),
        ];
        for (text, path, expected) in rows {
            assert_eq!(ignore(text).excludes(path), expected, "`{path}` under {text:?}");
        }
    }

    #[test]
    fn a_malformed_pattern_is_named_by_its_line() {
        for text in ["a\n[", "a\n!", "a\n! ", "a\n![x-]"] {
            let error = Ignore::parse("Dockerfile.dockerignore", text).unwrap_err();
            assert!(
                error
                    .to_string()
                    .starts_with("failed to read `Dockerfile.dockerignore`, line 2: "),
                "{error}"
            );
        }
    }

    #[test]
    fn an_excluded_folder_is_entered_only_for_an_exception() {
        assert!(!ignore("dir").may_include_below("dir"));
        assert!(!ignore("*\n!other/file").may_include_below("dir"));
        assert!(ignore("dir\n!dir/file").may_include_below("dir"));
        assert!(ignore("*\n!**/*.py").may_include_below("dir/sub"));
    }
}
