//! What is wrong with parameters, and how all of it is told at once.

use cli::error::ErrorSummary;
use cli::{Console, Exit, Failure, Report};

/// What is wrong with one value, name or entry. Never holds a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Flaw {
    pub(crate) message: String,
    pub(crate) code: &'static str,
    pub(crate) hint: Option<String>,
    /// The environment variable that has to be exported.
    pub(crate) variable: Option<String>,
}

impl Flaw {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Flaw {
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

/// Something that went wrong with one parameter, as a whole sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) parameter: String,
    pub(crate) message: String,
    pub(crate) code: Option<String>,
    pub(crate) hint: Option<String>,
    variable: Option<String>,
}

impl Fault {
    /// A flaw that was found while `doing` ("prepare") something to a parameter.
    pub(crate) fn new(doing: &str, parameter: &str, flaw: Flaw) -> Self {
        Fault {
            parameter: parameter.to_owned(),
            message: format!("failed to {doing} parameter `{parameter}`: {}", flaw.message),
            code: Some(flaw.code.to_owned()),
            hint: flaw.hint,
            variable: flaw.variable,
        }
    }

    /// An error that names the parameter itself.
    pub(crate) fn of_error(parameter: &str, error: &anyhow::Error) -> Self {
        let described = ErrorSummary::of(error);
        Fault {
            parameter: parameter.to_owned(),
            message: described.message,
            code: described.code,
            hint: described.hint,
            variable: None,
        }
    }
}

/// Ends `report` with the faults: a single one is the error itself; several stand on stderr, one a line,
/// before an error that counts their parameters. Where no fault has a hint of its own, it is `otherwise`.
pub(crate) fn tell(
    faults: &[Fault],
    summary: impl FnOnce(usize) -> String,
    otherwise: Option<&str>,
    exit: Exit,
    console: &Console,
    report: Report,
) -> Report {
    if faults.len() > 1 {
        lines(faults)
            .iter()
            .for_each(|(message, hint)| console.error(message, *hint));
    }
    console.failed(&last_line(faults, summary, otherwise, exit).into(), report)
}

/// The faults with their hints; the same advice for neighbours stands once, after the last of them.
fn lines(faults: &[Fault]) -> Vec<(&str, Option<&str>)> {
    let hint = |at: usize| faults.get(at).and_then(|fault: &Fault| fault.hint.as_deref());
    let lines = faults.iter().enumerate();
    lines
        .map(|(at, fault)| {
            (
                fault.message.as_str(),
                hint(at).filter(|_| hint(at) != hint(at + 1)),
            )
        })
        .collect()
}

fn last_line(
    faults: &[Fault],
    summary: impl FnOnce(usize) -> String,
    otherwise: Option<&str>,
    exit: Exit,
) -> Failure {
    let (message, hint) = match faults {
        [fault] => (fault.message.clone(), fault.hint.clone()),
        _ => (summary(parameters(faults).len()), None),
    };
    let mut failure = Failure::new(exit, message);
    // Above the summary stand the hints of the faults themselves.
    let otherwise =
        otherwise.filter(|_| faults.len() == 1 || faults.iter().all(|fault| fault.hint.is_none()));
    if let Some(hint) = hint.or_else(|| exports(faults)).or(otherwise.map(str::to_owned)) {
        failure = failure.hint(hint);
    }
    let code = faults.first().and_then(|fault| fault.code.clone());
    match code.filter(|code| faults.iter().all(|fault| fault.code.as_ref() == Some(code))) {
        Some(code) => failure.code(code),
        None => failure,
    }
}

/// The parameters that have faults, each once, in their order.
pub(crate) fn parameters(faults: &[Fault]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for fault in faults {
        if !names.contains(&fault.parameter.as_str()) {
            names.push(&fault.parameter);
        }
    }
    names
}

/// One line that sets all the variables that are missing.
fn exports(faults: &[Fault]) -> Option<String> {
    let mut names: Vec<String> = Vec::new();
    for variable in faults.iter().filter_map(|fault| fault.variable.as_ref()) {
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

    fn unset(parameter: &str, name: &str) -> Fault {
        let flaw = Flaw::new("variable", format!("`{name}` is not set")).variable(name);
        Fault::new("prepare", parameter, flaw)
    }

    fn bad(parameter: &str, hint: &str) -> Fault {
        Fault::new("prepare", parameter, Flaw::new("value", "bad").hint(hint))
    }

    fn last(faults: &[Fault]) -> ErrorSummary {
        let summary = |count| format!("{count} of 9");
        ErrorSummary::of(&last_line(faults, summary, Some("otherwise"), Exit::Partial).into())
    }

    #[test]
    fn one_fault_is_the_error_and_several_are_counted_by_parameter() {
        for (faults, message, code, hint) in [
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
            let last = last(&faults);
            assert_eq!(last.message, message);
            assert_eq!(last.code.as_deref(), code, "{message}");
            assert_eq!(last.hint.as_deref(), hint, "{message}");
            assert_eq!(last.exit, Exit::Partial);
        }
        let other = Fault::of_error("A", &anyhow::anyhow!("no"));
        assert_eq!(last(&[other.clone(), other]).hint.as_deref(), Some("otherwise"));
    }

    #[test]
    fn the_same_advice_for_neighbours_stands_once() {
        let faults = [bad("A", "a"), bad("B", "a"), unset("C", "X"), bad("D", "a")];
        let hints: Vec<Option<&str>> = lines(&faults).into_iter().map(|(_, hint)| hint).collect();
        assert_eq!(hints, [None, Some("a"), None, Some("a")]);
    }
}
