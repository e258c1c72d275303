//! Task definitions for Fargate: what RegisterTaskDefinition would reject, what fails only when a task starts, and what
//! differs from a registered revision.
//!
//! The rules look at the document alone. Whether the image, the log group and the parameters exist is the caller's to
//! check.

mod container;
mod dependencies;
mod exposed;
pub(crate) mod fields;
mod health_check;
mod logging;
mod named_ports;
mod normalise;
mod ports;
mod secret_reference;
mod size;
mod task;
mod values;
mod variables;

pub use fields::ONLY_DESCRIBED;
pub(crate) use logging::check_configuration as check_log_configuration;
pub use named_ports::{NamedPort, named_ports};
pub use normalise::{difference, normalise, redacted, secrets};
pub use size::{cpu_units, mebibytes};
pub(crate) use values::{is_name, is_port_name};

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::document::Document;
use crate::node::Content;
use crate::{shape, tags};

/// The largest task definition (Amazon ECS service quotas).
const LARGEST: usize = 64 * 1024;

/// All diagnostics of a task definition, in the order of the file. It must be expanded.
pub fn check(document: &Document) -> Vec<Diagnostic> {
    let mut diagnostics = Diagnostics::new(&document.file);
    let root = document.field();
    if matches!(root.node.content, Content::Object(_)) && root.get("taskDefinition").is_some() {
        diagnostics.error(&root, "this is an answer of DescribeTaskDefinition");
        diagnostics.hint("keep what stands under `taskDefinition`, without what only AWS fills in");
        return diagnostics.into_vec();
    }
    shape::check(&root, &fields::REQUEST, unknown_key_hint, &mut diagnostics);
    if !matches!(root.node.content, Content::Object(_)) {
        return diagnostics.into_vec();
    }
    task::check(&root, &mut diagnostics);
    tags::check(&root, &mut diagnostics);
    let size = document.to_value().to_string().len();
    if size > LARGEST {
        diagnostics.error(
            &root,
            format!("it has {size} bytes, and a task definition at most {LARGEST}"),
        );
    }
    diagnostics.into_vec()
}

fn unknown_key_hint(key: &str) -> Option<&'static str> {
    ONLY_DESCRIBED
        .contains(&key)
        .then_some("take it out: AWS fills it in")
}

#[cfg(test)]
mod tests;
