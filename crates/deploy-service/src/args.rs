//! The command line.

use crate::cadence::DEFAULT_POLL;
use clap::{Parser, Subcommand};
use cli::args::{CommonArgs, ConfirmArgs, PlanArgs};
use cli::duration;
use ecs::names::revision_name;
use std::time::Duration;

/// Create or update the service of ops.toml, and wait for its deployment
///
/// Deploys the latest active revision of the task definition. It is done when
/// this very deployment has completed and its revision is the one that runs;
/// a rollback is reported with its cause. Prints the service's ARN.
#[derive(Debug, Parser)]
#[command(after_help = HELP, args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) deploy: DeployArgs,
}

/// The other jobs.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the service: exit 0 when it runs as it should, 1 when not
    Status(StatusArgs),
    /// Go back to the revision that ran well before
    Rollback(RollbackArgs),
    /// Run a command in a task of its own: prints its log, exits with its code
    Run(RunArgs),
    /// Print the log lines of the service's containers
    Logs(LogsArgs),
}

/// The main job.
#[derive(Debug, clap::Args)]
pub(crate) struct DeployArgs {
    /// Deploy this revision [default: the latest active one]
    #[arg(long, value_name = "FAMILY[:REVISION]", value_parser = task_definition)]
    pub(crate) task_definition: Option<String>,
    /// Start new tasks even when nothing differs
    #[arg(long)]
    pub(crate) force_new_deployment: bool,
    /// Do not wait for the deployment
    #[arg(long)]
    pub(crate) no_wait: bool,
    #[command(flatten)]
    pub(crate) plan: PlanArgs,
    #[command(flatten)]
    pub(crate) service: ServiceArgs,
}

/// `status`
#[derive(Debug, clap::Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    pub(crate) service: ServiceArgs,
}

/// `rollback`
#[derive(Debug, clap::Args)]
pub(crate) struct RollbackArgs {
    /// Go back to this revision [default: the one deployed before, by ECS's history]
    #[arg(long, value_name = "FAMILY:REVISION", value_parser = task_definition)]
    pub(crate) task_definition: Option<String>,
    /// Do not wait for the deployment
    #[arg(long)]
    pub(crate) no_wait: bool,
    #[command(flatten)]
    pub(crate) plan: PlanArgs,
    #[command(flatten)]
    pub(crate) confirm: ConfirmArgs,
    #[command(flatten)]
    pub(crate) service: ServiceArgs,
}

/// `run`
#[derive(Debug, clap::Args)]
pub(crate) struct RunArgs {
    /// Run this revision [default: the latest active one]
    #[arg(long, value_name = "FAMILY[:REVISION]", value_parser = task_definition)]
    pub(crate) task_definition: Option<String>,
    /// The container to run it in [default: the service's own, or the only one]
    #[arg(long, value_name = "NAME")]
    pub(crate) container: Option<String>,
    #[command(flatten)]
    pub(crate) service: ServiceArgs,
    /// The command, after `--`; an entryPoint of the container stays in front
    #[arg(last = true, required = true, value_name = "CMD")]
    pub(crate) words: Vec<String>,
}

/// `logs`
#[derive(Debug, clap::Args)]
pub(crate) struct LogsArgs {
    /// Keep printing new log events
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// Show events from this long ago
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = duration::parse)]
    pub(crate) since: Duration,
    /// Only this container
    #[arg(long, value_name = "NAME")]
    pub(crate) container: Option<String>,
    #[command(flatten)]
    pub(crate) service: ServiceArgs,
}

/// The options of every job.
#[derive(Debug, clap::Args)]
pub(crate) struct ServiceArgs {
    /// Give up waiting after this time [default: `timeout` of [service], 10m]
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    pub(crate) timeout: Option<Duration>,
    /// How often ECS is asked while waiting
    #[arg(long, value_name = "TIME", default_value = DEFAULT_POLL, value_parser = duration::parse)]
    pub(crate) poll: Duration,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

impl Args {
    /// The options of the job that the command line names.
    pub(crate) fn service(&self) -> &ServiceArgs {
        match &self.command {
            None => &self.deploy.service,
            Some(Command::Status(status)) => &status.service,
            Some(Command::Rollback(rollback)) => &rollback.service,
            Some(Command::Run(run)) => &run.service,
            Some(Command::Logs(logs)) => &logs.service,
        }
    }
}

/// Accepts a family, a revision of it, a revision's number alone, or an ARN.
fn task_definition(text: &str) -> Result<String, &'static str> {
    let name = revision_name(text);
    let (family, revision) = name.split_once(':').unwrap_or((name, "1"));
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let is_number = !revision.is_empty() && revision.bytes().all(|byte| byte.is_ascii_digit());
    if !family.is_empty() && family.bytes().all(is_name) && is_number {
        Ok(text.to_owned())
    } else {
        Err("expected FAMILY, FAMILY:REVISION, a revision's number, or an ARN")
    }
}

const HELP: &str = "\
Examples:
  deploy-service                           prints the service's ARN
  deploy-service --dry-run
  deploy-service --task-definition backend-flask:7
  deploy-service status
  deploy-service logs -f
  deploy-service run -- /usr/local/bin/db-test
  deploy-service rollback --yes

Permissions: ecs:DescribeServices, ecs:DescribeTaskDefinition,
ecs:DescribeClusters, ecs:CreateService, ecs:UpdateService, ecs:TagResource,
ecs:ListTasks, ecs:DescribeTasks, servicediscovery:GetNamespace,
logs:GetLogEvents; rollback: ecs:ListServiceDeployments,
ecs:DescribeServiceRevisions, ecs:ListTaskDefinitions; logs:
logs:FilterLogEvents; run: ecs:RunTask, ecs:StopTask, iam:PassRole for
both roles

Exit codes:
  0  done, or nothing to do; status: it runs as it should
  1  the deployment failed; differences under --check; status: it does not
  2  could not: usage, configuration, credentials, permission, network
  3  not done within --timeout; the deployment goes on
  4  rolled back to the previous revision, or changed and then not followed
  run exits with the code of its command, and 1 when that never started";

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn a_command_stands_behind_two_dashes() {
        let parse = |line: &str| Args::try_parse_from(line.split(' '));
        let args = parse("t run --container web -- sh -c true").unwrap();
        let Some(Command::Run(run)) = args.command else {
            panic!("not run")
        };
        assert_eq!(run.words, ["sh", "-c", "true"]);
        assert!(parse("t run").is_err());
        assert!(parse("t run sh").is_err());
    }
}
