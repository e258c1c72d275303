//! The command line.

use crate::revision::Revision;
use clap::{Parser, Subcommand};
use cli::OutputArgs;
use cli::args::{AwsArgs, ConfigArgs, PlanArgs};
use registry::Reference;
use std::time::Duration;

/// Register the task definition of ops.toml, when it differs from the latest one
///
/// Compares the file with the latest active revision of its family, and
/// registers a new one only when something differs. Before that it checks what
/// Fargate would refuse and what would fail when a task starts: sizes, ports,
/// health check, roles, log group, image, parameters. Prints the revision's ARN.
#[derive(Debug, Parser)]
#[command(after_help = HELP, args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) register: RegisterArgs,
}

/// What else it can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write the file from a live revision
    Init(InitArgs),
    /// Compare two revisions: exit 0 when they are the same, 1 when not
    Diff(DiffArgs),
}

/// The main job.
#[derive(Debug, clap::Args)]
pub(crate) struct RegisterArgs {
    /// Use this image instead of the one that ECR has for `${image.NAME}`;
    /// may be repeated
    #[arg(long = "image", value_name = "NAME=REF", value_parser = image)]
    pub(crate) images: Vec<(String, String)>,
    #[command(flatten)]
    pub(crate) plan: PlanArgs,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

/// `init`
#[derive(Debug, clap::Args)]
pub(crate) struct InitArgs {
    /// The revision; without a number the latest active one [default: the family
    /// of the file that is there, else the one that has the file's name]
    #[arg(long, value_name = "FAMILY[:REVISION]", value_parser = Revision::parse)]
    pub(crate) from: Option<Revision>,
    /// Replace the file when there is one
    #[arg(long)]
    pub(crate) force: bool,
    /// Print what would be written, with what may be a secret hidden, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

/// `diff`
#[derive(Debug, clap::Args)]
pub(crate) struct DiffArgs {
    /// FAMILY:REVISION, FAMILY for its latest active one, or REVISION of the file's family
    #[arg(value_name = "A", value_parser = Revision::parse)]
    pub(crate) from: Revision,
    /// The other one
    #[arg(value_name = "B", value_parser = Revision::parse)]
    pub(crate) to: Revision,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

/// What all three have.
#[derive(Debug, clap::Args)]
pub(crate) struct CommonArgs {
    /// Give up after this time
    #[arg(long, value_name = "TIME", default_value = "3m", value_parser = cli::duration::parse)]
    pub(crate) timeout: Duration,
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    #[command(flatten)]
    pub(crate) aws: AwsArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

impl Args {
    /// The options of the command at hand.
    pub(crate) fn common(&self) -> &CommonArgs {
        match &self.command {
            None => &self.register.common,
            Some(Command::Init(init)) => &init.common,
            Some(Command::Diff(diff)) => &diff.common,
        }
    }
}

/// `NAME=REF`
fn image(text: &str) -> Result<(String, String), String> {
    let (name, reference) = text
        .split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .ok_or("it must be NAME=REF, say web=123456789012.dkr.ecr.us-east-1.amazonaws.com/web@sha256:…")?;
    Reference::parse(reference).map_err(|error| error.to_string())?;
    Ok((name.to_owned(), reference.to_owned()))
}

const HELP: &str = "\
Examples:
  register-task-definition                 prints the revision's ARN
  register-task-definition --dry-run
  register-task-definition --image backend-flask=REGISTRY/backend-flask@sha256:…
  register-task-definition init --from backend-flask:7
  register-task-definition diff 7 8

Permissions: ecs:DescribeTaskDefinition, ecs:RegisterTaskDefinition,
ecs:TagResource, iam:PassRole for both roles, ecr:BatchGetImage;
to find faults ahead ecr:GetDownloadUrlForLayer, iam:GetRole,
logs:DescribeLogGroups, ssm:GetParameters

Exit codes:
  0  done, or nothing to do; diff: the same
  1  differences under --check; diff: not the same
  2  could not: usage, configuration, a fault in the file or in what it names,
     credentials, permission, network
  3  not done within --timeout";

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn an_image_has_a_name_and_a_reference() {
        assert_eq!(image("a=b/c:1"), Ok(("a".into(), "b/c:1".into())));
        for text in ["", "a", "=b", "a=", "a=${X}", "a=B"] {
            assert!(image(text).is_err(), "{text}");
        }
    }
}
