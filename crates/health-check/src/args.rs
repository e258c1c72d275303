//! The command line.

use clap::Parser;
use cli::{OutputArgs, duration};
use std::time::Duration;

/// Ask the Flask app whether it is healthy
///
/// Sends one GET request. Only the status 200 is healthy, with any body. Proxy
/// variables are ignored, and redirects are not followed. `localhost` is
/// 127.0.0.1, then ::1, without a look-up, so that the probe works in an image
/// that contains nothing else.
#[derive(Debug, Parser)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// URL of the health endpoint: plain HTTP
    #[arg(
        long,
        value_name = "URL",
        default_value = "http://localhost:4567/api/health-check"
    )]
    pub(crate) url: String,
    /// Time limit for look-up, connection and the whole response
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = duration::parse)]
    pub(crate) timeout: Duration,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

const HELP: &str = "\
Examples:
  health-check
  health-check --url http://localhost:8080/health --timeout 500ms
  health-check -o json

In a task definition or a Dockerfile, without a shell:
  \"healthCheck\": { \"command\": [\"CMD\", \"/usr/local/bin/health-check\"] }
  HEALTHCHECK CMD [\"/usr/local/bin/health-check\"]

Exit codes:
  0  the app answered 200
  1  it did not, or the command line is wrong; no other code is used, because
     container engines reserve the rest";
