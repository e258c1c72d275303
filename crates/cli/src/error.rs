//! Errors with an exit code, a kind and a code for programs, and a hint for the user.

use crate::duration;
use crate::exit::Exit;
use serde::Serialize;
use std::error::Error;
use std::fmt;
use std::time::Duration;

/// What went wrong, for decisions in code and for programs that read the JSON document. No decision is made by the text
/// of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorKind {
    /// The command line.
    Usage,
    /// `ops.toml`, a file that it names, or a variable that it needs.
    Config,
    /// There are no credentials, or the service rejects them.
    Credentials,
    /// The caller lacks a permission.
    Denied,
    /// The resource does not exist.
    NotFound,
    /// The resource exists already, can't be changed in this way, or is being changed by another caller.
    Conflict,
    /// The service rejects the values.
    Invalid,
    /// The service limits the rate of calls.
    Throttled,
    /// The service failed, or is not available.
    Service,
    /// The connection failed.
    Network,
    /// The response is not one of the service, or can't be read.
    Unparseable,
    /// A deadline passed.
    Timeout,
    /// A destructive change was not confirmed.
    Unconfirmed,
    /// None of these.
    #[default]
    Other,
}

/// An error with more than a message. [`ErrorSummary::of`] finds it anywhere in a chain of contexts.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    message: String,
    kind: ErrorKind,
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
            kind: ErrorKind::Other,
            code: None,
            hint: None,
            source: None,
        }
    }

    /// A failure with exit code 2, for almost all errors.
    pub fn error(message: impl Into<String>) -> Self {
        Self::new(Exit::Error, message)
    }

    /// An error in `ops.toml` or a file that it names: kind and code `config`.
    pub fn config(message: impl Into<String>) -> Self {
        Self::error(message).kind(ErrorKind::Config).code("config")
    }

    /// The run took longer than its `timeout`: exit code 3.
    pub fn timeout(timeout: Duration) -> Self {
        Self::new(
            Exit::Deadline,
            format!("not done after {}", duration::show(timeout)),
        )
        .kind(ErrorKind::Timeout)
        .code("timeout")
        .hint("give it more time with --timeout; it is safe to run again")
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(mut self, kind: ErrorKind) -> Self {
        self.kind = kind;
        self
    }

    /// A short constant for programs: the error code of AWS, or one of the tools in kebab-case.
    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// The next step for the user.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The cause, which is printed after the message.
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

/// What a report needs of an error.
#[derive(Debug, PartialEq, Eq)]
pub struct ErrorSummary {
    /// All messages of the chain on one line.
    pub message: String,
    /// The outermost kind that is not [`ErrorKind::Other`].
    pub kind: ErrorKind,
    /// The outermost code of a [`Failure`] in the chain.
    pub code: Option<String>,
    /// The outermost hint.
    pub hint: Option<String>,
    /// The outermost exit code; 2 where there is none.
    pub exit: Exit,
}

impl ErrorSummary {
    /// Reads the chain, outermost error first.
    pub fn of(error: &anyhow::Error) -> Self {
        let failures: Vec<&Failure> = error.chain().filter_map(|cause| cause.downcast_ref()).collect();
        ErrorSummary {
            message: one_line(&format!("{error:#}")),
            kind: failures
                .iter()
                .map(|failure| failure.kind)
                .find(|kind| *kind != ErrorKind::Other)
                .unwrap_or_default(),
            code: failures.iter().find_map(|failure| failure.code.clone()),
            hint: failures.iter().find_map(|failure| failure.hint.clone()),
            exit: failures.first().map_or(Exit::Error, |failure| failure.exit),
        }
    }
}

/// Puts a message on one line, so that logs can be searched line by line.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Adds a hint to any error.
pub trait FailureExt<T> {
    /// Wraps the error in `message`, with exit code 2 and `hint`.
    fn or_error(self, message: impl Into<String>, hint: impl Into<String>) -> anyhow::Result<T>;
}

impl<T, E: Into<Box<dyn Error + Send + Sync>>> FailureExt<T> for Result<T, E> {
    fn or_error(self, message: impl Into<String>, hint: impl Into<String>) -> anyhow::Result<T> {
        self.map_err(|error| Failure::error(message).hint(hint).source(error).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn finds_code_hint_and_exit_below_contexts() {
        let failure = Failure::new(Exit::Deadline, "no answer")
            .kind(ErrorKind::Timeout)
            .code("timeout")
            .hint("wait longer");
        let error = Err::<(), _>(failure).context("failed to push `x`").unwrap_err();
        let summary = ErrorSummary::of(&error);
        assert_eq!(summary.message, "failed to push `x`: no answer");
        assert_eq!(summary.kind, ErrorKind::Timeout);
        assert_eq!(summary.code.as_deref(), Some("timeout"));
        assert_eq!(summary.hint.as_deref(), Some("wait longer"));
        assert_eq!(summary.exit, Exit::Deadline);
    }

    #[test]
    fn an_error_without_an_exit_code_ends_with_2() {
        assert_eq!(ErrorSummary::of(&anyhow::anyhow!("two\nlines")).exit, Exit::Error);
        assert_eq!(
            ErrorSummary::of(&anyhow::anyhow!("two\n  lines")).message,
            "two lines"
        );
    }
}
