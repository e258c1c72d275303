//! An error that knows its exit code, its code for programs and the next step for people.

use crate::exit::Exit;
use std::error::Error;
use std::fmt;

/// An error with what `anyhow` alone does not carry. Anywhere in a chain of contexts it is found
/// again by [`Described::of`].
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    message: String,
    code: Option<String>,
    hint: Option<String>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    /// A failure that ends the tool with `exit`.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Failure {
            exit,
            message: message.into(),
            code: None,
            hint: None,
            source: None,
        }
    }

    /// The commonest one: the tool could not do its work (2).
    pub fn could_not(message: impl Into<String>) -> Self {
        Self::new(Exit::CouldNot, message)
    }

    /// A short constant for programs: AWS's own error code, or one of ours in kebab-case.
    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// What the user can do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The cause below; it is printed after the message.
    #[must_use]
    pub fn source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// What the end of the program needs to know of an error.
#[derive(Debug, PartialEq, Eq)]
pub struct Described {
    /// The whole chain on one line.
    pub message: String,
    /// The outermost code that a [`Failure`] in the chain carries.
    pub code: Option<String>,
    /// The outermost hint.
    pub hint: Option<String>,
    /// The outermost exit code; 2 where there is none.
    pub exit: Exit,
}

impl Described {
    /// Reads the chain from the outside in.
    pub fn of(error: &anyhow::Error) -> Self {
        let failures: Vec<&Failure> = error.chain().filter_map(|cause| cause.downcast_ref()).collect();
        Described {
            message: one_line(&format!("{error:#}")),
            code: failures.iter().find_map(|failure| failure.code.clone()),
            hint: failures.iter().find_map(|failure| failure.hint.clone()),
            exit: failures.first().map_or(Exit::CouldNot, |failure| failure.exit),
        }
    }
}

/// Other people's messages come with line breaks; an error is one line, so that logs can be searched.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Adds a hint to any error where it is known what the user can do.
pub trait FailureExt<T> {
    /// Wraps the error in `message`, with exit code 2 and `hint`.
    fn or_could_not(self, message: impl Into<String>, hint: impl Into<String>) -> anyhow::Result<T>;
}

impl<T, E: Into<Box<dyn Error + Send + Sync>>> FailureExt<T> for Result<T, E> {
    fn or_could_not(self, message: impl Into<String>, hint: impl Into<String>) -> anyhow::Result<T> {
        self.map_err(|error| Failure::could_not(message).hint(hint).source(error).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn finds_code_hint_and_exit_below_contexts() {
        let failure = Failure::new(Exit::Deadline, "no answer")
            .code("timeout")
            .hint("wait longer");
        let error = Err::<(), _>(failure).context("failed to push `x`").unwrap_err();
        let described = Described::of(&error);
        assert_eq!(described.message, "failed to push `x`: no answer");
        assert_eq!(described.code.as_deref(), Some("timeout"));
        assert_eq!(described.hint.as_deref(), Some("wait longer"));
        assert_eq!(described.exit, Exit::Deadline);
    }

    #[test]
    fn an_error_that_says_nothing_else_is_could_not() {
        assert_eq!(Described::of(&anyhow::anyhow!("two\nlines")).exit, Exit::CouldNot);
        assert_eq!(
            Described::of(&anyhow::anyhow!("two\n  lines")).message,
            "two lines"
        );
    }
}
