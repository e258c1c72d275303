//! `create-log-group` makes the CloudWatch log group of `ops.toml`, and keeps it as the file says.
//!
//! It describes the group first and changes only what differs: retention, KMS key, tags. What the file does
//! not name stays as it is. A shorter retention deletes log events, so it wants a yes.
//!
//! stdout: the group's ARN.
//! stderr: what was created or changed, field by field.

mod apply;
mod check;
mod log_group;
mod plan;
mod store;

use cli::Console;
use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::parse::<log_group::Args>("create-log-group") {
        Ok(args) => {
            let console = Console::new("create-log-group", &args.output);
            runtime::run(&console, Some(args.timeout), log_group::run(&args, &console))
        }
        Err(code) => code,
    }
}
