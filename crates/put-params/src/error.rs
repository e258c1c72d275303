//! What is wrong with parameters, and the report of all of it at once.

use cli::error::ErrorSummary;
use cli::{Console, ErrorKind, Exit, Failure, Report};

/// What is wrong with one value, name or entry. Never contains a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ValidationError {
    pub(crate) message: String,
    pub(crate) code: &'static str,
    pub(crate) hint: Option<String>,
    /// The environment variable that has to be exported.
    pub(crate) variable: Option<String>,
}

impl ValidationError {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        ValidationError {
            message: message.into(),
            code,
            hint: None,
            variable: None,
        }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn variable(mut self, name: &str) -> Self {
        self.variable = Some(name.to_owned());
        self
    }
}

/// An error that concerns one parameter, with the name in its message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ParameterError {
    pub(crate) parameter: String,
    pub(crate) message: String,
    pub(crate) kind: ErrorKind,
    pub(crate) code: Option<String>,
    pub(crate) hint: Option<String>,
    variable: Option<String>,
}

impl ParameterError {
    /// The entry of `ops.toml`, or its value, is wrong.
    pub(crate) fn prepare(parameter: &str, error: ValidationError) -> Self {
        Self::new("prepare", ErrorKind::Config, parameter, error)
    }

    /// The existing parameter can't become what `ops.toml` describes.
    pub(crate) fn plan(parameter: &str, error: ValidationError) -> Self {
        Self::new("plan", ErrorKind::Conflict, parameter, error)
    }

    /// The same, found when the parameter was to be written.
    pub(crate) fn put(parameter: &str, error: ValidationError) -> Self {
        Self::new("put", ErrorKind::Conflict, parameter, error)
    }

    fn new(verb: &str, kind: ErrorKind, parameter: &str, error: ValidationError) -> Self {
        ParameterError {
            parameter: parameter.to_owned(),
            message: format!("failed to {verb} parameter `{parameter}`: {}", error.message),
            kind,
            code: Some(error.code.to_owned()),
            hint: error.hint,
            variable: error.variable,
        }
    }

    /// An error whose message names the parameter already.
    pub(crate) fn of(parameter: &str, error: &anyhow::Error) -> Self {
        let summary = ErrorSummary::of(error);
        ParameterError {
            parameter: parameter.to_owned(),
            message: summary.message,
            kind: summary.kind,
            code: summary.code,
            hint: summary.hint,
            variable: None,
        }
    }
}

/// Ends `report` with `errors`: a single one is the error itself; several are printed on stderr, one a line, before an
/// error that counts their parameters. `default_hint` holds where no error has a hint of its own.
pub(crate) fn report_errors(
    errors: &[ParameterError],
    summary: impl FnOnce(usize) -> String,
    default_hint: Option<&str>,
    exit: Exit,
    console: &Console,
    report: Report,
) -> Report {
    if errors.len() > 1 {
        lines(errors)
            .iter()
            .for_each(|(message, hint)| console.error(message, *hint));
    }
    console.failed(&last_line(errors, summary, default_hint, exit).into(), report)
}

/// The errors with their hints. A hint that neighbours share is printed once, after the last of them.
fn lines(errors: &[ParameterError]) -> Vec<(&str, Option<&str>)> {
    let hint = |at: usize| {
        errors
            .get(at)
            .and_then(|error: &ParameterError| error.hint.as_deref())
    };
    let lines = errors.iter().enumerate();
    lines
        .map(|(at, error)| {
            (
                error.message.as_str(),
                hint(at).filter(|_| hint(at) != hint(at + 1)),
            )
        })
        .collect()
}

fn last_line(
    errors: &[ParameterError],
    summary: impl FnOnce(usize) -> String,
    default_hint: Option<&str>,
    exit: Exit,
) -> Failure {
    let (message, hint) = match errors {
        [error] => (error.message.clone(), error.hint.clone()),
        _ => (summary(parameters(errors).len()), None),
    };
    let mut failure = Failure::new(exit, message);
    // The hints of several errors stand above the summary.
    let default_hint =
        default_hint.filter(|_| errors.len() == 1 || errors.iter().all(|error| error.hint.is_none()));
    if let Some(hint) = hint
        .or_else(|| exports(errors))
        .or(default_hint.map(str::to_owned))
    {
        failure = failure.hint(hint);
    }
    let Some((first, others)) = errors.split_first() else {
        return failure;
    };
    if others.iter().all(|error| error.kind == first.kind) {
        failure = failure.kind(first.kind);
    }
    match &first.code {
        Some(code) if others.iter().all(|error| error.code == first.code) => failure.code(code),
        _ => failure,
    }
}

/// The parameters that have errors, each once, in their order.
pub(crate) fn parameters(errors: &[ParameterError]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for error in errors {
        if !names.contains(&error.parameter.as_str()) {
            names.push(&error.parameter);
        }
    }
    names
}

/// One command that sets all missing variables.
fn exports(errors: &[ParameterError]) -> Option<String> {
    let mut names: Vec<String> = Vec::new();
    for variable in errors.iter().filter_map(|error| error.variable.as_ref()) {
        let assignment = format!("{variable}=…");
        if !names.contains(&assignment) {
            names.push(assignment);
        }
    }
    (!names.is_empty()).then(|| format!("export {}", names.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unset(parameter: &str, name: &str) -> ParameterError {
        let error = ValidationError::new("variable", format!("`{name}` is not set")).variable(name);
        ParameterError::prepare(parameter, error)
    }

    fn bad(parameter: &str, hint: &str) -> ParameterError {
        ParameterError::prepare(parameter, ValidationError::new("value", "bad").hint(hint))
    }

    fn last(errors: &[ParameterError]) -> ErrorSummary {
        let summary = |count| format!("{count} of 9");
        ErrorSummary::of(&last_line(errors, summary, Some("otherwise"), Exit::Partial).into())
    }

    #[test]
    fn one_error_is_the_error_and_several_are_counted_by_parameter() {
        for (errors, message, code, hint) in [
            (
                vec![unset("A", "X")],
                "failed to prepare parameter `A`: `X` is not set",
                Some("variable"),
                Some("export X=…"),
            ),
            (
                vec![unset("A", "X"), unset("A", "Y"), unset("B", "X")],
                "2 of 9",
                Some("variable"),
                Some("export X=… Y=…"),
            ),
            (
                vec![unset("A", "X"), bad("C", "mend it")],
                "2 of 9",
                None,
                Some("export X=…"),
            ),
            (vec![bad("A", "a"), bad("B", "b")], "2 of 9", Some("value"), None),
            (
                vec![bad("A", "mend it")],
                "failed to prepare parameter `A`: bad",
                Some("value"),
                Some("mend it"),
            ),
        ] {
            let last = last(&errors);
            assert_eq!(last.message, message);
            assert_eq!(last.code.as_deref(), code, "{message}");
            assert_eq!(last.hint.as_deref(), hint, "{message}");
            assert_eq!(last.exit, Exit::Partial);
        }
        let other = ParameterError::of("A", &anyhow::anyhow!("no"));
        assert_eq!(last(&[other.clone(), other]).hint.as_deref(), Some("otherwise"));
    }

    #[test]
    fn a_hint_of_neighbours_is_printed_once() {
        let errors = [bad("A", "a"), bad("B", "a"), unset("C", "X"), bad("D", "a")];
        let hints: Vec<Option<&str>> = lines(&errors).into_iter().map(|(_, hint)| hint).collect();
        assert_eq!(hints, [None, Some("a"), None, Some("a")]);
    }
}
