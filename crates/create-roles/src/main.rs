//! `create-roles` creates the IAM roles of `ops.toml`, and keeps them as the file says.
//!
//! It checks the policy files before the first call, describes each role, and changes only what differs:
//! trust policy, inline policies, managed policies, permissions boundary, tags. Policies that the file does
//! not name are listed, and removed only with `--prune`. With `--simulate` it asks IAM's simulator whether
//! the execution role may do what the task definition needs.
//!
//! stdout: the ARN of each role.
//! stderr: what was created or changed, field by field; unmanaged policies.

mod args;
mod client;
mod desired;
mod needs;
mod perform;
mod plan;
mod resource;
mod run;
mod simulate;

use cli::Console;
use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::parse::<args::Args>("create-roles") {
        Ok(args) => {
            let console = Console::new("create-roles", &args.common.output);
            runtime::run(&console, Some(args.timeout), run::run(&args, &console))
        }
        Err(code) => code,
    }
}
