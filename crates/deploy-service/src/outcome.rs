//! The exit code and the error of a run whose deployment has ended.

use crate::context::Context;
use crate::rollout::Progress;
use crate::waiter::End;
use cli::{ErrorKind, Exit, Failure, Outcome, Report};

/// The report of the run that deployed `task_definition`.
pub(crate) fn report(context: &Context<'_>, task_definition: &str, end: End) -> Report {
    let End {
        rollout,
        cause,
        report,
    } = end;
    let name = context.name();
    let next_step = || {
        let logs = context.manual.logs();
        format!("correct it, then register and deploy again; `{logs}` has more lines")
    };
    let failure =
        |exit, what: String| Failure::new(exit, format!("failed to deploy service `{name}`: {what}"));
    let (outcome, failure) = match rollout {
        Progress::Done | Progress::Pending | Progress::RollingBack(_) => {
            context.console.info(format!(
                "{name}: {task_definition} is deployed, its deployment COMPLETED"
            ));
            return report;
        }
        Progress::RolledBack { to, .. } => {
            let what = format!("`{task_definition}` was rolled back to `{to}`: {cause}");
            let failure = failure(Exit::Partial, what).code("rolled-back");
            (Outcome::RolledBack, failure.hint(next_step()))
        }
        Progress::Failed(_) => {
            let what = format!("the deployment of `{task_definition}` failed: {cause}");
            let failure = failure(Exit::Negative, what).code("deployment-failed");
            (Outcome::No, failure.hint(next_step()))
        }
        Progress::Superseded {
            by,
            task_definition: other,
        } => {
            let what =
                format!("deployment `{by}` of `{other}` by another caller replaced `{task_definition}`");
            let failure = failure(Exit::Negative, what)
                .kind(ErrorKind::Conflict)
                .code("superseded");
            (
                Outcome::No,
                failure.hint("run it again when the other deployment has ended"),
            )
        }
        Progress::Deleted => {
            let what = format!("the service was deleted while `{task_definition}` was deployed");
            let failure = failure(Exit::Negative, what)
                .kind(ErrorKind::Conflict)
                .code("deleted");
            let deploy = context.manual.deploy(task_definition);
            (Outcome::No, failure.hint(format!("`{deploy}` creates it again")))
        }
    };
    let mut report = context.console.failed(&failure.into(), report);
    report.outcome = outcome;
    report
}
