//! What RegisterTaskDefinition does not look at, and a task that starts does: roles, log groups, images,
//! parameters. Reads only.

mod images;
mod logs;
mod parameters;
mod roles;

use crate::images::{Ecr, Resolved};
use anyhow::Result;
use aws_config::SdkConfig;
use aws_documents::{Document, Fault, Faults, Field};
use aws_sdk_iam::primitives::DateTime;
use cli::Item;
use common::config::{AwsTarget, Config};

/// What the checks need to know.
pub(crate) struct Checks<'a> {
    pub(crate) sdk: &'a SdkConfig,
    pub(crate) place: &'a AwsTarget,
    pub(crate) config: &'a Config,
    /// Expanded.
    pub(crate) document: &'a Document,
    pub(crate) images: &'a Resolved,
    /// What an earlier step makes is no fault as long as nothing is registered.
    pub(crate) plan_only: bool,
}

/// What came of them.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    pub(crate) faults: Vec<Fault>,
    pub(crate) planned: Vec<Planned>,
    /// What the caller may not ask, or what nobody can say.
    pub(crate) not_judged: Vec<String>,
    /// When the younger of the roles was made; absent when it was not seen.
    pub(crate) youngest_role: Option<DateTime>,
}

/// What is not there yet, and what makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Planned {
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    pub(crate) after: &'static str,
}

impl Planned {
    /// Its line in the report.
    pub(crate) fn item(&self) -> Item {
        Item::new(self.kind, &self.name, "planned").detail("after", self.after)
    }
}

impl Checks<'_> {
    /// Runs them all at once.
    ///
    /// # Errors
    /// When something can't be asked for another reason than a missing permission.
    pub(crate) async fn run(&self) -> Result<Judged> {
        let ecr = Ecr {
            sdk: self.sdk,
            place: self.place,
        };
        let (roles, logs, images, parameters) = tokio::join!(
            roles::check(self),
            logs::check(self),
            images::check(self, &ecr),
            parameters::check(self)
        );
        let mut all = Judged::default();
        for one in [roles, logs, images, parameters] {
            let one = one?;
            all.faults.extend(one.faults);
            all.planned.extend(one.planned);
            all.not_judged.extend(one.not_judged);
            all.youngest_role = all.youngest_role.or(one.youngest_role);
        }
        all.faults.sort_by_key(|fault| fault.position);
        Ok(all)
    }

    /// The containers.
    fn containers(&self) -> Vec<Field<'_>> {
        self.document.field().list("containerDefinitions")
    }

    /// `what` is not there: a fault in `field`, unless an earlier step makes it and this is only a plan.
    fn missing(&self, judged: &mut Judged, field: &Field, missing: Missing) {
        let Missing {
            kind,
            name,
            message,
            maker,
            hint,
        } = missing;
        match maker {
            Some(after) if self.plan_only => {
                let planned = Planned { kind, name, after };
                if !judged.planned.contains(&planned) {
                    judged.planned.push(planned);
                }
            }
            maker => {
                let hint = maker.map_or(hint, |maker| format!("run {maker} first"));
                judged.fault(self.document, field, message, Some(hint));
            }
        }
    }
}

/// Something that is not there.
struct Missing {
    kind: &'static str,
    name: String,
    message: String,
    /// The step that makes it, when `ops.toml` names it.
    maker: Option<&'static str>,
    /// What to do when no step makes it.
    hint: String,
}

impl Judged {
    fn fault(&mut self, document: &Document, field: &Field, message: String, hint: Option<String>) {
        let mut faults = Faults::new(&document.file);
        faults.error(field, message);
        hint.into_iter().for_each(|hint| faults.hint(hint));
        self.faults.extend(faults.into_vec());
    }

    fn warning(&mut self, document: &Document, field: &Field, message: String, hint: &str) {
        let mut faults = Faults::new(&document.file);
        faults.warning(field, message);
        faults.hint(hint);
        self.faults.extend(faults.into_vec());
    }

    fn denied(&mut self, what: impl std::fmt::Display, call: &str) {
        self.not_judged.push(format!("{what} ({call} was denied)"));
    }
}

/// Whether a call was refused for want of a permission.
fn is_denied(code: Option<&str>) -> bool {
    matches!(
        code,
        Some("AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation")
    )
}
