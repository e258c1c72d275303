//! What the end of a deployment means for the run: its exit code, its words.

use crate::apply::Job;
use crate::rollout::{Progress, short};
use crate::service::text;
use crate::watch::End;
use cli::{Exit, Failure, Outcome, Report};

/// The end of the run.
pub(crate) fn report(job: &Job, end: End) -> Report {
    let End {
        rollout,
        cause,
        report,
    } = end;
    let name = job.name;
    let task_definition = short(text(job.definition, "taskDefinitionArn"));
    let look = format!(
        "correct it, then register and deploy again; `{}` has more lines",
        job.commands.logs()
    );
    let (outcome, failure) = match rollout {
            Progress::Done | Progress::Pending | Progress::RollingBack(_) => {
                job.console.info(format!(
                    "{name}: {task_definition} is deployed, its deployment COMPLETED"
                ));
                return report;
            }
            Progress::RolledBack { to, .. } => (
                Outcome::RolledBack,
                Failure::new(
                    Exit::Partial,
                    format!("failed to deploy service `{name}`: `{task_definition}` was rolled back to `{to}`: {cause}"),
                )
                .code("rolled-back")
                .hint(look),
            ),
            Progress::Failed(_) => (
                Outcome::No,
                Failure::new(
                    Exit::Negative,
                    format!("failed to deploy service `{name}`: the deployment of `{task_definition}` failed: {cause}"),
                )
                .code("deployment-failed")
                .hint(look),
            ),
            Progress::Superseded { by, task_definition: other } => (
                Outcome::No,
                Failure::new(
                    Exit::Negative,
                    format!("failed to deploy service `{name}`: somebody else's deployment `{by}` of `{other}` took the place of `{task_definition}`"),
                )
                .code("superseded")
                .hint("run it again when they are done"),
            ),
            Progress::Deleted => (
                Outcome::No,
                Failure::new(
                    Exit::Negative,
                    format!("failed to deploy service `{name}`: somebody deleted it while `{task_definition}` was deployed"),
                )
                .code("deleted")
                .hint(format!("`{}` makes it anew", job.commands.deploy(task_definition))),
            ),
        };
    let mut report = job.console.failed(&failure.into(), report);
    report.outcome = outcome;
    report
}
