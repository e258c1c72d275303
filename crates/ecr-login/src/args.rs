//! The command line.

use clap::Parser;
use cli::args::CommonArgs;
use std::time::Duration;

/// Sign docker in to the account's private ECR registry
///
/// Stores the token where docker looks for it: in the credential helper that is
/// configured for the registry, else in $DOCKER_CONFIG/config.json or
/// ~/.docker/config.json, whose other entries are kept. The token is valid for
/// 12 hours, and is never printed.
#[derive(Debug, Parser)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// Get a token and print where it would be stored, but store nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Give up after this time
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = cli::duration::parse)]
    pub(crate) timeout: Duration,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

const HELP: &str = "\
ops.toml is optional; expect_account and expect_region are checked if it has
them.

Examples:
  ecr-login                              the account and region of the shell
  ecr-login --region ca-central-1 --profile prod
  registry=$(ecr-login -q | cut -d' ' -f1)

Permission: ecr:GetAuthorizationToken

Exit codes:
  0  docker is signed in
  2  failed: usage, credentials, permission, network, docker's file
  3  not done within --timeout";
