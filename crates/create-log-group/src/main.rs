//! `create-log-group` creates the CloudWatch log group of `ops.toml`, and keeps it as the file says.
//!
//! It describes the group first and changes only what differs: retention, KMS key, deletion protection, tags. What the
//! file does not name stays as it is. A shorter retention deletes log events, so it requires confirmation.
//!
//! stdout: the group's ARN.
//! stderr: what was created or changed, field by field.

mod args;
mod plan;
mod resource;
mod run;
mod validation;

use cli::Console;
use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::parse::<args::Args>("create-log-group") {
        Ok(args) => {
            let console = Console::new("create-log-group", &args.common.output);
            runtime::run(&console, Some(args.timeout), run::run(&args, &console))
        }
        Err(code) => code,
    }
}
