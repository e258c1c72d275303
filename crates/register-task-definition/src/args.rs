//! The command line and its help.

use crate::revision::Revision;
use aws_documents::Values;
use clap::{Parser, Subcommand};
use cli::args::{CommonArgs, PlanArgs};
use registry::Reference;
use std::time::Duration;

/// Register the task definition of ops.toml, when it differs from the latest one
///
/// Compares the file with the latest active revision of its family, and
/// registers a new one only when something differs. Before that it checks what
/// Fargate would reject and what would fail when a task starts: sizes, ports,
/// health check, roles, log group, image, parameters. Prints the revision's ARN.
#[derive(Debug, Parser)]
#[command(after_help = HELP, args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) register: RegisterArgs,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write the file from a live revision
    Init(InitArgs),
    /// Compare two revisions: exit 0 when they are the same, 1 when not
    Diff(DiffArgs),
}

/// The main reconciler.
#[derive(Debug, clap::Args)]
pub(crate) struct RegisterArgs {
    /// Use this image instead of the one that ECR has for `${image.NAME}`;
    /// may be repeated
    #[arg(long = "image", value_name = "NAME=REF", value_parser = image)]
    pub(crate) images: Vec<(String, String)>,
    #[command(flatten)]
    pub(crate) plan: PlanArgs,
    #[command(flatten)]
    pub(crate) options: Options,
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
    /// Print what would be written, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) options: Options,
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
    pub(crate) options: Options,
}

/// The options of the tool and of each subcommand.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Show the values that may hold secrets (environment, commands, options,
    /// labels), which are `(hidden)` otherwise
    #[arg(long)]
    pub(crate) show_values: bool,
    /// Give up after this time
    #[arg(long, value_name = "TIME", default_value = "3m", value_parser = cli::duration::parse)]
    pub(crate) timeout: Duration,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

impl Options {
    /// Whether plans and diffs show the values that may hold secrets.
    pub(crate) fn values(&self) -> Values {
        if self.show_values {
            Values::Shown
        } else {
            Values::Hidden
        }
    }
}

impl Args {
    /// The options of the command at hand.
    pub(crate) fn options(&self) -> &Options {
        match &self.command {
            None => &self.register.options,
            Some(Command::Init(init)) => &init.options,
            Some(Command::Diff(diff)) => &diff.options,
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
to find diagnostics ahead ecr:GetDownloadUrlForLayer, iam:GetRole,
logs:DescribeLogGroups, ssm:GetParameters

Exit codes:
  0  done, or nothing to do; diff: the same
  1  differences under --check; diff: not the same
  2  error: usage, configuration, the file or what it names, credentials,
     permission, network
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
