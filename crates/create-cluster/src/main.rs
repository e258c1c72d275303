//! `create-cluster` creates the ECS cluster of `ops.toml`, and keeps it as the file says.
//!
//! It describes the cluster first and changes only what differs: the default namespace of Service Connect,
//! Container Insights, how sessions of ECS Exec are logged, capacity providers, tags. Then it waits until the
//! cluster is ACTIVE. What the file does not name stays as it is; nothing is deleted.
//!
//! stdout: the cluster's ARN.
//! stderr: what was created or changed, field by field, and what the cluster waits for.

mod args;
mod describe;
mod linked_role;
mod observed;
mod plan;
mod resource;
mod run;
mod session;
mod validation;
mod waiter;

use cli::Console;
use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::parse::<args::Args>("create-cluster") {
        Ok(args) => {
            let console = Console::new("create-cluster", &args.common.output);
            runtime::run(&console, Some(args.timeout), run::run(&args, &console))
        }
        Err(code) => code,
    }
}
