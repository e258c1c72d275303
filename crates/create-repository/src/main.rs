//! `create-repository` creates the private ECR repositories of `ops.toml`, and keeps them as the file says.
//!
//! It describes each repository first and changes only what differs: tag mutability and its exceptions, scan on
//! push, repository policy, lifecycle policy, tags. Before a lifecycle policy is put, ECR's own preview shows
//! which images it would delete, which needs a confirmation. What the file does not name stays as it is.
//!
//! stdout: the URI of each repository, or with `--export` lines for a shell (`export NAME=URI`).
//! stderr: what was created or changed, field by field.

mod args;
mod client;
mod desired;
mod lifecycle;
mod plan;
mod preview;
mod resource;
mod run;
mod validation;

use cli::Console;
use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::parse::<args::Args>("create-repository") {
        Ok(args) => {
            let console = Console::new("create-repository", &args.common.output);
            runtime::run(&console, Some(args.timeout), run::run(&args, &console))
        }
        Err(code) => code,
    }
}
