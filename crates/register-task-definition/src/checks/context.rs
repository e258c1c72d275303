//! What the checks work on, and their results.

use crate::images::Resolved;
use aws_documents::{Diagnostic, Diagnostics, Document, Field};
use aws_smithy_types::DateTime;
use cli::Item;
use common::aws::Aws;
use common::config::{AwsTarget, Config};

/// What the checks work on.
pub(crate) struct Checks<'a> {
    pub(crate) aws: &'a Aws,
    pub(crate) target: &'a AwsTarget,
    pub(crate) config: &'a Config,
    /// Expanded.
    pub(crate) document: &'a Document,
    pub(crate) images: &'a Resolved,
    /// What an earlier step creates may be missing as long as nothing is registered.
    pub(crate) plan_only: bool,
}

/// The results of the checks.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) diagnostics: Vec<Diagnostic>,
    pub(crate) planned: Vec<Planned>,
    /// What the caller lacks the permission for, or what can't be found out.
    pub(crate) not_checked: Vec<String>,
    /// When the younger of the roles was created; absent when it could not be read.
    pub(crate) youngest_role: Option<DateTime>,
}

/// What does not exist yet, and the tool that creates it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Planned {
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    pub(crate) after: &'static str,
}

impl Planned {
    /// The item of the report.
    pub(crate) fn item(&self) -> Item {
        Item::new(self.kind, &self.name, "planned").detail("after", self.after)
    }
}

impl Checks<'_> {
    /// The containers.
    pub(super) fn containers(&self) -> Vec<Field<'_>> {
        self.document.field().list("containerDefinitions")
    }

    /// Adds an error in `field`, unless an earlier step creates what is missing and this is only a plan.
    pub(super) fn missing(&self, findings: &mut Findings, field: &Field, missing: Missing) {
        let Missing {
            kind,
            name,
            message,
            created_by,
            hint,
        } = missing;
        match created_by {
            Some(after) if self.plan_only => {
                let planned = Planned { kind, name, after };
                if !findings.planned.contains(&planned) {
                    findings.planned.push(planned);
                }
            }
            created_by => {
                let hint = created_by.map_or(hint, |created_by| format!("run {created_by} first"));
                findings.error(self.document, field, message, Some(hint));
            }
        }
    }
}

/// Something that does not exist.
pub(super) struct Missing {
    pub(super) kind: &'static str,
    pub(super) name: String,
    pub(super) message: String,
    /// The tool that creates it, when `ops.toml` names it.
    pub(super) created_by: Option<&'static str>,
    /// What to do when no tool creates it.
    pub(super) hint: String,
}

impl Findings {
    pub(super) fn error(
        &mut self,
        document: &Document,
        field: &Field,
        message: String,
        hint: Option<String>,
    ) {
        let mut diagnostics = Diagnostics::new(&document.file);
        diagnostics.error(field, message);
        hint.into_iter().for_each(|hint| diagnostics.hint(hint));
        self.diagnostics.extend(diagnostics.into_vec());
    }

    pub(super) fn warning(&mut self, document: &Document, field: &Field, message: String, hint: &str) {
        let mut diagnostics = Diagnostics::new(&document.file);
        diagnostics.warning(field, message);
        diagnostics.hint(hint);
        self.diagnostics.extend(diagnostics.into_vec());
    }

    pub(super) fn denied(&mut self, what: impl std::fmt::Display, call: &str) {
        self.not_checked.push(format!("{what} ({call} was denied)"));
    }
}

/// Whether the caller lacks the permission for the call.
pub(super) fn is_denied(code: Option<&str>) -> bool {
    matches!(
        code,
        Some("AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation")
    )
}
