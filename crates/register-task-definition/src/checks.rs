//! What RegisterTaskDefinition does not check and a starting task needs: roles, log groups, images, parameters. Only
//! reads.

mod context;
mod images;
mod logs;
mod parameters;
mod roles;

pub(crate) use context::{Checks, Findings};

use crate::images::Ecr;
use anyhow::Result;

/// Runs them all at once.
///
/// # Errors
/// When a call fails for another reason than a missing permission.
pub(crate) async fn run(checks: &Checks<'_>) -> Result<Findings> {
    let ecr = Ecr {
        sdk: &checks.aws.sdk,
        target: checks.target,
    };
    let (roles, logs, images, parameters) = tokio::join!(
        roles::check(checks),
        logs::check(checks),
        images::check(checks, &ecr),
        parameters::check(checks)
    );
    let mut all = Findings::default();
    for one in [roles, logs, images, parameters] {
        let one = one?;
        all.diagnostics.extend(one.diagnostics);
        all.planned.extend(one.planned);
        all.not_checked.extend(one.not_checked);
        all.youngest_role = all.youngest_role.or(one.youngest_role);
    }
    all.diagnostics.sort_by_key(|diagnostic| diagnostic.position);
    Ok(all)
}
